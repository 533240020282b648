/* JSON that somebody else wrote: what is accepted means the same when it is printed and read again. */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/json.h"
#include "shared/memory.h"
#include "shared/utf8.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON *root, *again;
    struct error err = {0};
    if (json_parse(&root, (const char *)data, size, &err) < 0) {
        require(root == NULL);
        fuzz_require_refusal(&err, ERROR_CONFIG);
        require(strncmp(err.text, "line ", 5) == 0 && strstr(err.text, ": found ") && strstr(err.text, ", wanted "));
        return 0;
    }
    require(utf8_is_valid((const char *)data, size) && memchr(data, 0, size) == NULL);
    auto_free char *text = cJSON_PrintUnformatted(root);
    require(text != NULL);
    if (json_parse(&again, text, strlen(text), &err) < 0)
        fuzz_broken(err.text, text, 0);
    auto_free char *same = cJSON_PrintUnformatted(again);
    require(same != NULL && strcmp(text, same) == 0);
    cJSON_Delete(again);
    cJSON_Delete(root);
    return 0;
}
