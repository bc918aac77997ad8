/* A DNS message. What is found is within the message, and reading it ends. */
#include "core/dns/dns_wire.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lb_dns_message message;
    static struct lb_dns_answer answer;
    uint8_t room[LB_DNS_QUERY_MAX];
    if (!lb_dns_decode(lb_bytes(data, size), &message))
        return 0;
    lb_assert(lb_strlen(message.name) <= LB_DNS_NAME_MAX && message.answers_at <= size);
    lb_dns_answer_read(&message, &answer);
    lb_assert(answer.verdict != LB_DNS_FOUND || answer.addr_count > 0);
    lb_assert(answer.addr_count == 0 || answer.verdict == LB_DNS_FOUND ||
              answer.verdict == LB_DNS_CUT); /* those that came are used where TCP fails */
    if (answer.verdict == LB_DNS_ALIAS)
        lb_assert(lb_dns_name_is_valid(answer.alias) &&
                  !lb_dns_name_equal(answer.alias, message.name));
    if (lb_dns_name_is_valid(message.name))
        lb_assert(lb_dns_query_encode(1, message.name, LB_DNS_A, lb_span(room, sizeof room)).len >
                  0);
    return 0;
}
