#include "controller/http/http_events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/http/http_reply.h"
#include "controller/http/http_request.h"
#include "controller/http/reporter_private.h"
#include "shared/clock.h"
#include "shared/json_writer.h"
#include "shared/memory.h"

/* A frame with more tasks than this is larger than the compressed snapshot of many. */
enum { FRAME_TASKS_MAX = 5000 };

#define EVENT_STREAM "text/event-stream"

/* An event as it is sent, shared by all who are to get it. */
struct http_frame {
    size_t users;
    uint64_t generation;
    uint64_t from, to; /* sequence numbers; from NO_SEQ: a reset */
    char *bytes;
    size_t length;
};

#define NO_SEQ UINT64_MAX

struct http_stream {
    LIST_ENTRY(http_stream) link;
    struct reporter *reporter;
    struct MHD_Connection *connection;
    uint64_t generation;      /* of the board that `seq` belongs to */
    uint64_t seq;             /* what the client has; NO_SEQ: it must start anew */
    struct http_frame *frame; /* being sent */
    size_t offset;
    bool is_due;    /* may take a frame */
    bool is_silent; /* is to get a comment if there is no frame */
    bool is_told;   /* that it ends */
    bool is_asleep;
};

static void drop_frame(struct http_frame *frame)
{
    if (frame == NULL || --frame->users > 0)
        return;
    free(frame->bytes);
    free(frame);
}

static void begin_event(const struct board *board, const char *name, struct buffer *text)
{
    buffer_format(text, "event: %s\nid: %s:%" PRIu64 "\ndata: ", name, board_epoch(board), board_seq(board));
}

/* Takes the text over. */
static struct http_frame *new_frame(struct buffer *text)
{
    struct http_frame *frame = memory_zeroed(1, sizeof(*frame));
    frame->users = 1;
    frame->length = text->length;
    frame->bytes = buffer_take(text);
    return frame;
}

static struct http_frame *make_frame(struct reporter *reporter, uint64_t from)
{
    struct board *board = reporter->board;
    uint64_t to = board_seq(board);
    auto_buffer text = {0};
    begin_event(board, from == NO_SEQ ? "reset" : "delta", &text);
    if (from == NO_SEQ) {
        buffer_text(&text, "{\"epoch\":");
        json_add_text(&text, board_epoch(board));
        buffer_text(&text, ",\"seq\":");
        json_add_uint(&text, to);
        buffer_text(&text, "}");
    } else {
        board_add_delta(board, from, clock_wall_ms(), &text);
    }
    buffer_text(&text, "\n\n");
    struct http_frame *frame = new_frame(&text);
    frame->generation = reporter->generation;
    frame->from = from;
    frame->to = to;
    return frame;
}

static const char *end_state(const struct board *board)
{
    enum board_run_state state = board_run(board)->state;
    return state == BOARD_RUN_RUNNING ? "interrupted" : board_run_state_name(state);
}

/* What the controller leaves to its listeners. */
static struct http_frame *make_end(struct board *board)
{
    auto_buffer text = {0};
    begin_event(board, "end", &text);
    buffer_format(&text, "{\"seq\":%" PRIu64 ",\"state\":\"%s\",\"summary\":", board_seq(board), end_state(board));
    board_add_summary(board, clock_wall_ms(), &text);
    buffer_text(&text, "}\n\n");
    return new_frame(&text);
}

static struct http_frame *shared_end(struct reporter *reporter)
{
    if (reporter->events.end_frame == NULL)
        reporter->events.end_frame = make_end(reporter->board);
    reporter->events.end_frame->users++;
    return reporter->events.end_frame;
}

static struct http_frame *shared_frame(struct reporter *reporter, uint64_t from)
{
    struct http_frame *last = reporter->events.last_frame;
    bool fits = last && last->generation == reporter->generation && last->from == from &&
                last->to == board_seq(reporter->board);
    if (!fits) {
        drop_frame(last);
        last = reporter->events.last_frame = make_frame(reporter, from);
    }
    last->users++;
    return last;
}

static bool is_behind(const struct http_stream *stream)
{
    const struct reporter *reporter = stream->reporter;
    return reporter->board != NULL &&
           (stream->generation != reporter->generation || stream->seq != board_seq(reporter->board));
}

/* The frame that brings the stream up to date. */
static struct http_frame *next_frame(struct http_stream *stream)
{
    struct reporter *reporter = stream->reporter;
    bool can_go_on = stream->generation == reporter->generation && stream->seq != NO_SEQ &&
                     board_changes(reporter->board, stream->seq, FRAME_TASKS_MAX) < FRAME_TASKS_MAX;
    struct http_frame *frame = shared_frame(reporter, can_go_on ? stream->seq : NO_SEQ);
    stream->generation = reporter->generation;
    stream->seq = frame->to;
    return frame;
}

/* Puts what is to be sent next, if anything, into stream->frame. */
static void choose(struct http_stream *stream)
{
    struct reporter *reporter = stream->reporter;
    if ((stream->is_due || reporter->is_stopping) && is_behind(stream)) {
        stream->frame = next_frame(stream);
    } else if (reporter->is_stopping && reporter->board != NULL && !stream->is_told) {
        stream->frame = shared_end(reporter);
        stream->is_told = true;
    } else if (stream->is_silent && !reporter->is_stopping) {
        auto_buffer ping = {0};
        buffer_text(&ping, ": ping\n\n");
        stream->frame = new_frame(&ping);
    }
    stream->offset = 0;
    stream->is_due = false;
    stream->is_silent = false;
}

static ssize_t on_read(void *data, uint64_t position, char *room, size_t size)
{
    struct http_stream *stream = data;
    (void)position;
    if (stream->frame == NULL)
        choose(stream);
    if (stream->frame == NULL && stream->reporter->is_stopping)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream->frame == NULL) {
        stream->is_asleep = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    size_t left = stream->frame->length - stream->offset;
    size_t taken = left < size ? left : size;
    memcpy(room, stream->frame->bytes + stream->offset, taken);
    stream->offset += taken;
    if (taken == left) {
        drop_frame(stream->frame);
        stream->frame = NULL;
    }
    return (ssize_t)taken;
}

static void wake(struct http_stream *stream)
{
    if (!stream->is_asleep)
        return;
    stream->is_asleep = false;
    http_peers_wake(&stream->reporter->peers, stream->connection);
}

static void on_frame_timer(uv_timer_t *timer)
{
    struct reporter *reporter = timer->data;
    struct http_stream *stream;
    reporter->events.framed_ms = uv_now(reporter->loop);
    LIST_FOREACH(stream, &reporter->events.streams, link)
    {
        if (!is_behind(stream))
            continue;
        stream->is_due = true;
        wake(stream);
    }
}

static void on_ping_timer(uv_timer_t *timer)
{
    struct reporter *reporter = timer->data;
    struct http_stream *stream;
    LIST_FOREACH(stream, &reporter->events.streams, link)
    {
        stream->is_silent = true;
        wake(stream);
    }
}

static void on_gone(void *data)
{
    struct http_stream *stream = data;
    struct reporter *reporter = stream->reporter;
    LIST_REMOVE(stream, link);
    if (--reporter->events.stream_count == 0 && !reporter->is_stopping)
        uv_timer_stop(&reporter->events.ping_timer);
    drop_frame(stream->frame);
    free(stream);
}

/* "<epoch>:<seq>" of this board -> seq; anything else -> NO_SEQ. */
static uint64_t parse_position(const struct board *board, const char *text)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    const char *epoch = board_epoch(board);
    if (colon == NULL || (size_t)(colon - text) != strlen(epoch) || strncmp(text, epoch, strlen(epoch)) != 0)
        return NO_SEQ;
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 19 || colon[1 + digits] != '\0')
        return NO_SEQ;
    uint64_t seq = strtoull(colon + 1, NULL, 10);
    return seq <= board_seq(board) ? seq : NO_SEQ;
}

static struct http_stream *open_stream(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    const char *position = http_request_field(request, "Last-Event-ID");
    if (position == NULL)
        position = http_target_query(&request->target, "since");
    struct http_stream *stream = memory_zeroed(1, sizeof(*stream));
    stream->reporter = reporter;
    stream->connection = request->connection;
    stream->generation = reporter->generation;
    stream->seq = parse_position(reporter->board, position);
    LIST_INSERT_HEAD(&reporter->events.streams, stream, link);
    if (reporter->events.stream_count++ == 0)
        uv_timer_start(&reporter->events.ping_timer, on_ping_timer, reporter->limits.ping_ms,
                       reporter->limits.ping_ms);
    return stream;
}

void http_events_reply(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    struct MHD_Response *response;
    if (reporter->events.stream_count >= reporter->limits.streams) {
        response = http_response_problem(MHD_HTTP_SERVICE_UNAVAILABLE, "%zu clients listen already",
                                         reporter->events.stream_count);
        http_response_field(response, MHD_HTTP_HEADER_RETRY_AFTER, "5");
        http_reply(request, MHD_HTTP_SERVICE_UNAVAILABLE, response);
        return;
    }
    /* What is asked for by HEAD has no body that could be read. */
    response = request->is_head ? http_response_static("", 0, EVENT_STREAM, "no-store", HTTP_POLICY_DATA)
                                : http_response_stream(on_read, open_stream(request), on_gone, EVENT_STREAM,
                                                       "no-store", HTTP_POLICY_DATA);
    http_response_field(response, "X-Accel-Buffering", "no");
    http_reply(request, MHD_HTTP_OK, response);
    http_events_changed(reporter);
}

void http_events_changed(struct reporter *reporter)
{
    if (reporter->is_stopping || reporter->events.stream_count == 0 ||
        uv_is_active((uv_handle_t *)&reporter->events.frame_timer))
        return;
    uint64_t due_ms = reporter->events.framed_ms + reporter->limits.frame_ms;
    uint64_t now_ms = uv_now(reporter->loop);
    uv_timer_start(&reporter->events.frame_timer, on_frame_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

void http_events_end(struct reporter *reporter)
{
    struct http_stream *stream;
    LIST_FOREACH(stream, &reporter->events.streams, link)
    wake(stream);
}

/* ---- start and close */

static void start_timer(struct reporter *reporter, uv_timer_t *timer)
{
    uv_timer_init(reporter->loop, timer);
    timer->data = reporter;
    reporter->events.open_handles++;
}

void http_events_start(struct reporter *reporter)
{
    LIST_INIT(&reporter->events.streams);
    start_timer(reporter, &reporter->events.frame_timer);
    start_timer(reporter, &reporter->events.ping_timer);
}

static void on_closed(uv_handle_t *handle)
{
    struct reporter *reporter = handle->data;
    if (--reporter->events.open_handles == 0)
        reporter->events.closed(reporter);
}

void http_events_close(struct reporter *reporter, void (*closed)(void *data))
{
    struct http_events *events = &reporter->events;
    events->closed = closed;
    drop_frame(events->last_frame);
    drop_frame(events->end_frame);
    uv_close((uv_handle_t *)&events->frame_timer, on_closed);
    uv_close((uv_handle_t *)&events->ping_timer, on_closed);
}
