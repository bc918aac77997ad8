#include "core/base/addr.h"
#include "tests/fuzz.h"

static char room[8192];

static void addresses_survive_their_text(struct lb_bytes bytes) {
    struct lb_addr addr, again;
    struct lb_prefix prefix, prefix_again;
    if (lb_addr_parse(bytes, &addr)) {
        lb_assert(lb_addr_parse(lb_bytes_of_text(lb_addr_text(addr).s), &again));
        lb_assert(lb_addr_equal(addr, again));
    }
    struct lb_route route;
    if (lb_route_parse(bytes, &route)) {
        lb_assert(lb_addr_equal(lb_addr_mask(route.to.addr, route.to.len), route.to.addr));
        lb_assert(!lb_addr_is_set(route.via) || route.via.family == route.to.addr.family);
    }
    if (lb_prefix_parse(bytes, &prefix)) {
        lb_assert(lb_prefix_parse(lb_bytes_of_text(lb_prefix_text(prefix).s), &prefix_again));
        lb_assert(prefix.len == prefix_again.len);
        lb_assert(lb_addr_equal(prefix.addr, prefix_again.addr));
    }
}

/* Whatever went in: what comes out is UTF-8 that is fit for a terminal, also where it is cut. */
static void output_is_fit_for_a_terminal(struct lb_bytes bytes, size_t cap) {
    struct lb_text text = lb_text(room, cap);
    lb_text_untrusted(&text, bytes);
    lb_assert(text.len < cap && room[text.len] == 0 && lb_text_is_fit(lb_bytes(room, text.len)));
    lb_assert(!lb_text_is_fit(bytes) || text.cut ||
              lb_bytes_equal(bytes, lb_bytes(room, text.len)));
    text = lb_text(room, cap);
    lb_text_given(&text, bytes, 20);
    lb_assert(lb_text_is_fit(lb_bytes(room, text.len)));
    text = lb_text(room, cap);
    lb_text_json(&text, bytes);
    lb_assert(lb_text_is_fit(lb_bytes(room, text.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes bytes = lb_bytes(data, size), item;
    uint64_t number;
    size_t len;
    addresses_survive_their_text(bytes);
    output_is_fit_for_a_terminal(bytes, size > 0 ? 1 + data[0] : 1);
    output_is_fit_for_a_terminal(bytes, sizeof room);
    lb_assert(!lb_parse_u64(bytes, 1000, &number) || number <= 1000);
    (void)lb_parse_hex_u64(bytes, &number);
    if (lb_parse_hex_bytes(bytes, lb_span(room, 64), &len))
        lb_assert(len <= 64);
    size_t items = 0;
    while (lb_list_next(&bytes, ',', &item))
        items++;
    lb_assert(items <= size);
    return 0;
}
