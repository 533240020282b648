/*
 * Scanners and no regular expressions: this is done for every distinct error of a run, whatever its length. Each rule
 * looks at a place where a word begins and says how many bytes it takes; nothing is looked at twice for one rule, so
 * hostile texts cost no more than long ones.
 */
#include "controller/causes.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "shared/fnv.h"

enum {
    HEX_MIN = 8,
    DECIMAL_MIN = 10,
    POINTER_MIN = 6,
    PORT_DIGITS_MAX = 5,
    HOST_MAX = 253,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return isxdigit((unsigned char)c) != 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) != 0 || (unsigned char)c >= 0x80;
}

static size_t digits(const char *at)
{
    return strspn(at, "0123456789");
}

static size_t hex_digits(const char *at)
{
    return strspn(at, "0123456789abcdefABCDEF");
}

/* ---- ids */

static size_t uuid(const char *at, const char *text)
{
    static const size_t parts[] = {8, 4, 4, 4, 12};
    size_t length = 0;
    (void)text;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (i > 0 && at[length++] != '-')
            return 0;
        if (hex_digits(at + length) != parts[i])
            return 0;
        length += parts[i];
    }
    return length;
}

/* What a browser's driver adds to a page's id for one of its elements: ".d.1A2B.e.12". */
static size_t element_suffix(const char *at)
{
    size_t length = 0;
    while (at[length] == '.' && (at[length + 1] == 'd' || at[length + 1] == 'e') && at[length + 2] == '.' &&
           is_hex(at[length + 3]))
        length += 3 + hex_digits(at + length + 3);
    return length;
}

/* #1a2b3c4d is a colour. */
static size_t long_hex(const char *at, const char *text)
{
    size_t length = hex_digits(at), decimal = digits(at);
    bool is_colour = at > text && at[-1] == '#' && length == 8;
    bool has_digit = false;
    for (size_t i = 0; i < length && !has_digit; i++)
        has_digit = is_digit(at[i]);
    if (is_colour || !has_digit || length < (decimal == length ? (size_t)DECIMAL_MIN : (size_t)HEX_MIN))
        return 0;
    return length + element_suffix(at + length);
}

/* ---- addresses and ports */

static size_t pointer(const char *at, const char *text)
{
    (void)text;
    size_t length = at[0] == '0' && (at[1] == 'x' || at[1] == 'X') ? hex_digits(at + 2) : 0;
    return length >= POINTER_MIN ? 2 + length : 0;
}

/* ":8080", and not ":12:31", which is a place in a file. */
static size_t port(const char *at)
{
    size_t length = at[0] == ':' ? digits(at + 1) : 0;
    bool is_place = at[0] == ':' && at[1 + length] == ':' && is_digit(at[2 + length]);
    return length > 0 && length <= PORT_DIGITS_MAX && !is_place ? 1 + length : 0;
}

static size_t ipv4(const char *at)
{
    size_t length = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && at[length++] != '.')
            return 0;
        size_t part = digits(at + length);
        if (part == 0 || part > 3)
            return 0;
        length += part;
    }
    return length;
}

static size_t ip_and_port(const char *at, const char *text)
{
    size_t host = ipv4(at);
    (void)text;
    if (at[0] == '[') {
        size_t inside = strspn(at + 1, "0123456789abcdefABCDEF:.");
        host = inside >= 2 && memchr(at + 1, ':', inside) && at[1 + inside] == ']' ? inside + 2 : 0;
    }
    size_t behind = host > 0 ? port(at + host) : 0;
    return behind > 0 ? host + behind : 0;
}

/* cart.ts, Cart.java: what stands before the number of a line. */
static bool is_file_name(const char *name, size_t length)
{
    static const char *const endings[] = {"ts",  "tsx",  "js",     "jsx", "mjs",  "cjs", "mts",   "cts",
                                          "py",  "rb",   "go",     "rs",  "java", "kt",  "cs",    "php",
                                          "c",   "h",    "cc",     "cpp", "sh",   "vue", "css",   "html",
                                          "xml", "json", "svelte", "txt", "log",  "md",  "robot", "feature"};
    const char *dot = memrchr(name, '.', length);
    for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t ending = (size_t)(name + length - dot) - 1;
        if (ending == strlen(endings[i]) && strncasecmp(dot + 1, endings[i], ending) == 0)
            return true;
    }
    return false;
}

/* A host that has a port: behind "://", or by its name. Its length, without the port. */
static size_t host(const char *at, const char *text)
{
    size_t length = 0;
    while (length <= HOST_MAX && (isalnum((unsigned char)at[length]) || at[length] == '-' || at[length] == '.'))
        length++;
    if (length == 0 || length > HOST_MAX || port(at + length) == 0)
        return 0;
    bool is_in_url = at - text >= 3 && strncmp(at - 3, "://", 3) == 0;
    bool is_local = length == strlen("localhost") && strncasecmp(at, "localhost", length) == 0;
    bool is_name = isalpha((unsigned char)at[length - 1]) && memchr(at, '.', length) && !is_file_name(at, length);
    return is_in_url || is_local || is_name ? length : 0;
}

/* ":::3000", as Node writes "on every interface". */
static size_t any_host(const char *at)
{
    return strncmp(at, ":::", 3) == 0 && port(at + 2) > 0 ? 2 : 0;
}

/* ---- times */

/* "Z", "+01:00", " AM" */
static size_t zone(const char *at)
{
    if (at[0] == 'Z')
        return 1;
    if ((at[0] == '+' || at[0] == '-') && digits(at + 1) == 2)
        return 3 + (at[3] == ':' && digits(at + 4) == 2 ? 3u : 0u);
    if ((at[0] == '+' || at[0] == '-') && digits(at + 1) == 4)
        return 5;
    size_t space = at[0] == ' ';
    bool is_half = (at[space] == 'A' || at[space] == 'P') && at[space + 1] == 'M';
    return is_half ? space + 2 : 0;
}

/* "05:21:14.123Z" */
static size_t clock_time(const char *at)
{
    size_t hours = digits(at);
    if (hours == 0 || hours > 2 || at[hours] != ':' || digits(at + hours + 1) != 2 || at[hours + 3] != ':' ||
        digits(at + hours + 4) != 2)
        return 0;
    size_t length = hours + 6;
    if ((at[length] == '.' || at[length] == ',') && is_digit(at[length + 1]))
        length += 1 + digits(at + length + 1);
    return length + zone(at + length);
}

/* What follows a date: a time of the day, if there is one. */
static size_t date_tail(const char *at)
{
    size_t gap = strspn(at, " ,T"), length = gap > 0 && gap <= 2 ? clock_time(at + gap) : 0;
    if (length == 0)
        return 0;
    length += gap;
    if (strncmp(at + length, " GMT", 4) == 0)
        length += 4 + zone(at + length + 4);
    return length;
}

/* Three numbers between two of `separator`, of so many digits. */
static size_t three(const char *at, char separator, size_t first, size_t third)
{
    size_t a = digits(at), b = at[a] == separator ? digits(at + a + 1) : 0;
    size_t c = b > 0 && at[a + 1 + b] == separator ? digits(at + a + b + 2) : 0;
    bool fits = (first == 4 ? a == 4 : a >= 1 && a <= 2) && b <= 2 && (third == 4 ? c == 4 : c >= 1 && c <= 2);
    return fits ? a + b + c + 2 : 0;
}

static size_t number_date(const char *at)
{
    static const struct {
        char separator;
        size_t first, third;
    } forms[] = {{'-', 4, 2}, {'/', 4, 2}, {'/', 2, 4}, {'.', 2, 4}};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t length = three(at, forms[i].separator, forms[i].first, forms[i].third);
        if (length > 0)
            return length;
    }
    return 0;
}

static bool is_name_of(const char *at, const char *names)
{
    for (; *names; names += 3)
        if (strncmp(at, names, 3) == 0)
            return true;
    return false;
}

/* "Nov 24 2026", "24 Nov 2026", with the day of the week before it or not. */
static size_t name_date(const char *at)
{
    static const char days[] = "MonTueWedThuFriSatSun", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    size_t length = is_name_of(at, days) ? 3 + strspn(at + 3, ", ") : 0, day;
    if (is_name_of(at + length, months) && at[length + 3] == ' ') {
        day = digits(at + length + 4);
        length += 4 + day + strspn(at + length + 4 + day, ", ");
    } else {
        day = digits(at + length);
        if (day == 0 || at[length + day] != ' ' || !is_name_of(at + length + day + 1, months) ||
            at[length + day + 4] != ' ')
            return 0;
        length += day + 5;
    }
    return day > 0 && day <= 2 && digits(at + length) == 4 ? length + 4 : 0;
}

/* 12:31:05 behind a colon is no time but belongs to what stands before it. */
static size_t time_or_date(const char *at, const char *text)
{
    size_t date = number_date(at);
    if (date == 0)
        date = name_date(at);
    if (date > 0)
        return date + date_tail(at + date);
    return at > text && at[-1] == ':' ? 0 : clock_time(at);
}

/* ---- durations */

static size_t unit(const char *at)
{
    static const char *const units[] = {"milliseconds", "millisecond", "microseconds", "minutes", "minute",
                                        "seconds",      "second",      "hours",        "hour",    "msec",
                                        "mins",         "min",         "secs",         "sec",     "ms",
                                        "µs",           "us",          "ns",           "s"};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t length = strlen(units[i]);
        if (strncmp(at, units[i], length) == 0 && !is_word(at[length]))
            return length;
    }
    return 0;
}

/* "1.5s", "5000 ms", "1h02m12s" */
static size_t duration(const char *at, const char *text)
{
    size_t length = 0, part;
    (void)text;
    while ((part = digits(at + length)) > 0 && (at[length + part] == 'h' || at[length + part] == 'm') &&
           is_digit(at[length + part + 1]))
        length += part + 1;
    part = digits(at + length);
    if (part > 0 && at[length + part] == '.' && is_digit(at[length + part + 1]))
        part += 1 + digits(at + length + part + 1);
    if (part == 0)
        return 0;
    size_t space = at[length + part] == ' ', name = unit(at + length + part + space);
    return name > 0 ? length + part + space + name : 0;
}

/* ---- temp paths */

static size_t temp_root(const char *at)
{
    static const char *const roots[] = {
        "/private/var/folders/", "/var/folders/", "/private/tmp/", "/var/tmp/", "/tmp/", "/dev/shm/"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        if (strncmp(at, roots[i], strlen(roots[i])) == 0)
            return strlen(roots[i]);
    return 0;
}

/* The folders; the file's own name stays, if there is one that nobody has drawn. */
static size_t temp_path(const char *at, const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    size_t root = temp_root(at);
    (void)text;
    if (root == 0)
        return 0;
    size_t length = root + strcspn(at + root, " \t\n\"'`<>()[]{},;:|");
    while (length > root && at[length - 1] == '.')
        length--;
    const char *slash = memrchr(at, '/', length);
    size_t name = strspn(slash + 1, letters), ending = slash[1 + name] == '.' ? strspn(slash + 2 + name, letters) : 0;
    bool is_name = slash >= at + root && name > 0 && ending > 0 && slash + 2 + name + ending == at + length;
    return is_name ? (size_t)(slash - at) : length;
}

/* ---- the table */

struct rule {
    size_t (*length)(const char *at, const char *text); /* of what is left out here; 0: nothing */
    const char *mark;
};

/* The first that fits is taken: what is longer stands before what is a part of it. */
static const struct rule rules[] = {
    {uuid, "<id>"},           {pointer, "<address>"}, {ip_and_port, "<address>"}, {time_or_date, "<time>"},
    {duration, "<duration>"}, {temp_path, "<temp>"},  {long_hex, "<id>"},
};

/* Takes what a rule leaves out at the start of a word; returns its length, 0: nothing. */
static size_t leave_out(struct buffer *out, const char *at, const char *text)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        size_t length = rules[i].length(at, text);
        if (length == 0 || is_word(at[length]))
            continue;
        buffer_text(out, rules[i].mark);
        return length;
    }
    size_t name = host(at, text);
    if (name == 0)
        name = any_host(at);
    if (name == 0)
        return 0;
    buffer_add(out, at, name);
    buffer_text(out, ":<port>");
    return name + port(at + name);
}

void causes_normalise(struct buffer *out, const char *text)
{
    for (const char *at = text; at && *at;) {
        size_t length = at == text || !is_word(at[-1]) ? leave_out(out, at, text) : 0;
        if (length == 0) {
            buffer_add(out, at, 1);
            length = 1;
        }
        at += length;
    }
}

uint64_t causes_number(const char *message, const char *expected, const char *received)
{
    const char *const texts[] = {message, expected, received};
    auto_buffer all = {0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        causes_normalise(&all, texts[i]);
        buffer_add(&all, "", 1);
    }
    return fnv_add(FNV_BASIS, all.data, all.length);
}

void causes_format_id(uint64_t number, char id[CAUSES_ID_SIZE])
{
    snprintf(id, CAUSES_ID_SIZE, "%016" PRIx64, number);
}
