/* A stream of PDUs, read whole and in pieces of every size up to 31: the events are the same. And a
 * heartbeat. */
#include "core/isns/test_isns.h"
#include "tests/fuzz.h"

#define EVENTS_MAX 4096

struct seen {
    enum lb_isns_read what;
    uint32_t a, b;
};

static size_t collect_events(struct lb_bytes bytes, size_t piece, struct seen *events) {
    static struct lb_isns_reader reader;
    size_t count = 0;
    lb_isns_reader_init(&reader);
    while (bytes.len > 0 && count < EVENTS_MAX) {
        struct lb_bytes input = lb_bytes(bytes.p, LB_MIN(piece, bytes.len));
        bytes = lb_bytes_after(bytes, input.len);
        enum lb_isns_read got;
        while ((got = lb_isns_reader_next(&reader, &input)) != LB_ISNS_READ_MORE) {
            lb_assert(got != LB_ISNS_READ_ATTRIBUTE ||
                      reader.attribute.value.len <= reader.attribute.len);
            if (count < EVENTS_MAX)
                events[count++] =
                    got == LB_ISNS_READ_ATTRIBUTE
                        ? (struct seen){got, reader.attribute.tag, reader.attribute.len}
                        : (struct seen){got, reader.header.xid, reader.status};
            if (got == LB_ISNS_READ_BROKEN) {
                lb_assert(reader.why != NULL);
                return count;
            }
        }
        lb_assert(input.len == 0);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct seen whole[EVENTS_MAX], pieces[EVENTS_MAX];
    struct lb_isns_heartbeat heartbeat;
    struct lb_bytes bytes = lb_bytes(data, size);
    size_t count = collect_events(bytes, size, whole);
    for (size_t piece = 1; piece < 32; piece += 5) {
        lb_assert(collect_events(bytes, piece, pieces) == count);
        for (size_t i = 0; i < count; i++)
            lb_assert(whole[i].what == pieces[i].what && whole[i].a == pieces[i].a &&
                      whole[i].b == pieces[i].b);
    }
    if (lb_isns_heartbeat_decode(bytes, &heartbeat))
        lb_assert(heartbeat.backup_count <= LB_ISNS_BACKUPS_MAX &&
                  lb_addr_is_host(heartbeat.server.addr));
    size_t len = lb_isns_message_len(bytes);
    lb_assert(len == SIZE_MAX || len <= size);
    return 0;
}
