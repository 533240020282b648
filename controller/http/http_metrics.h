/* GET /metrics: Prometheus' text format 0.0.4. Base units, and no label whose values aren't known beforehand. */
#pragma once
#include "shared/buffer.h"

struct http_request;
struct reporter;

void http_metrics_reply(struct http_request *request);
