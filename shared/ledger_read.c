/* What a reply says, by name: nobody else counts its elements. The heads of the scripts list them. */
#include <string.h>

#include "shared/ledger.h"
#include "shared/redis_reply.h"

static const char *text_at(const struct ledger_reply *reply, size_t index)
{
    const char *text = redis_reply_text(redis_reply_at(reply->raw, index));
    return text ? text : "";
}

static int64_t number_at(const struct ledger_reply *reply, size_t index)
{
    return redis_reply_integer(redis_reply_at(reply->raw, index), 0);
}

/* How many elements there are from this one on. */
static size_t count_from(const struct ledger_reply *reply, size_t first)
{
    size_t count = redis_reply_count(reply->raw);
    return count > first ? count - first : 0;
}

/* A number of elements, which are there. */
static size_t size_at(const struct ledger_reply *reply, size_t index)
{
    int64_t number = number_at(reply, index);
    size_t most = count_from(reply, index + 1);
    return number < 0 ? 0 : (uint64_t)number > most ? most : (size_t)number;
}

/* ---- of the worker's scripts ---- */

const char *ledger_run_field(const struct ledger_reply *reply, const char *name)
{
    for (size_t i = 1; i + 1 < redis_reply_count(reply->raw); i += 2)
        if (strcmp(text_at(reply, i), name) == 0)
            return text_at(reply, i + 1);
    return "";
}

struct ledger_closed ledger_closed(const struct ledger_reply *reply)
{
    return (struct ledger_closed){.run_id = text_at(reply, 1), .has_controller = number_at(reply, 2) == 1};
}

size_t ledger_held_count(const struct ledger_reply *reply)
{
    return count_from(reply, 1);
}

const char *ledger_held(const struct ledger_reply *reply, size_t index)
{
    return text_at(reply, 1 + index);
}

struct ledger_claimed ledger_claimed(const struct ledger_reply *reply)
{
    return (struct ledger_claimed){
        .attempt = (unsigned)number_at(reply, 1),
        .spec = text_at(reply, 2),
        .viewport = text_at(reply, 3),
        .browser = text_at(reply, 4),
        .runner = text_at(reply, 5),
        .overrides = text_at(reply, 6),
    };
}

/* ---- of the controller's scripts ---- */

struct ledger_found ledger_found(const struct ledger_reply *reply)
{
    return (struct ledger_found){
        .run_id = text_at(reply, 1),
        .state = text_at(reply, 2),
        .why = text_at(reply, 3),
        .source = text_at(reply, 4),
        .who = text_at(reply, 5),
        .name = text_at(reply, 6),
        .lease_end_ms = number_at(reply, 7),
        .now_ms = number_at(reply, 8),
    };
}

int64_t ledger_now_ms(const struct ledger_reply *reply)
{
    return number_at(reply, 1);
}

size_t ledger_count(const struct ledger_reply *reply)
{
    return (size_t)number_at(reply, 1);
}

bool ledger_is_given_up(const struct ledger_reply *reply)
{
    return number_at(reply, 1) == 1;
}

/* The workers stand from the fourth element on; after the expired ones the ends of their leases, then the gone. */
enum { EXPIRED_COUNT = 2, FIRST_LATE };

size_t ledger_late_count(const struct ledger_reply *reply)
{
    size_t expired = size_at(reply, EXPIRED_COUNT), all = count_from(reply, FIRST_LATE);
    return all >= 2 * expired ? all - expired : 0;
}

struct ledger_late ledger_late(const struct ledger_reply *reply, size_t index)
{
    size_t expired = size_at(reply, EXPIRED_COUNT);
    if (index < expired)
        return (struct ledger_late){text_at(reply, FIRST_LATE + index), text_at(reply, FIRST_LATE + index + expired)};
    return (struct ledger_late){text_at(reply, FIRST_LATE + index + expired), ""};
}

enum { LOST_COUNT = 3, FIRST_LOST };

struct ledger_audited ledger_audited(const struct ledger_reply *reply)
{
    size_t lost = size_at(reply, LOST_COUNT);
    return (struct ledger_audited){
        .tasks = number_at(reply, 1),
        .findings = number_at(reply, 2),
        .lost = lost,
        .told = count_from(reply, FIRST_LOST + lost),
    };
}

const char *ledger_lost(const struct ledger_reply *reply, size_t index)
{
    return text_at(reply, FIRST_LOST + index);
}

const char *ledger_finding(const struct ledger_reply *reply, size_t index)
{
    return text_at(reply, FIRST_LOST + size_at(reply, LOST_COUNT) + index);
}

/* ---- of what was read without a script ---- */

const char *ledger_field(const struct ledger_reply *reply, size_t index)
{
    return redis_reply_text(redis_reply_at(reply->raw, index));
}

const char *ledger_value(const struct ledger_reply *reply, size_t *length)
{
    return redis_reply_bytes(reply->raw, length);
}

const char *ledger_value_text(const struct ledger_reply *reply)
{
    return redis_reply_text(reply->raw);
}

int64_t ledger_value_number(const struct ledger_reply *reply, int64_t fallback)
{
    return redis_reply_integer(reply->raw, fallback);
}

size_t ledger_list_count(const struct ledger_reply *reply)
{
    return redis_reply_count(reply->raw);
}

const char *ledger_list_text(const struct ledger_reply *reply, size_t index)
{
    return text_at(reply, index);
}

int64_t ledger_time_ms(const struct ledger_reply *reply)
{
    return number_at(reply, 0) * 1000;
}

static struct ledger_event event_of(const struct redisReply *entry)
{
    return (struct ledger_event){redis_reply_text(redis_reply_at(entry, 0)), redis_reply_at(entry, 1)};
}

struct ledger_event ledger_last_event(const struct ledger_reply *reply)
{
    return event_of(redis_reply_at(reply->raw, 0));
}

/* Of one stream its name, then its entries; nothing at all when none came in time. */
static const struct redisReply *entries_of(const struct ledger_reply *reply)
{
    return redis_reply_at(redis_reply_at(reply->raw, 0), 1);
}

size_t ledger_event_count(const struct ledger_reply *reply)
{
    return redis_reply_count(entries_of(reply));
}

struct ledger_event ledger_event(const struct ledger_reply *reply, size_t index)
{
    return event_of(redis_reply_at(entries_of(reply), index));
}
