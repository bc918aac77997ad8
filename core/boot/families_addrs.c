/* In which order the addresses of a name are tried. */
#include "core/boot/families.h"

static enum lb_family first_family(const struct lb_families *families,
                                   const struct lb_addr *addrs) {
    if (families->common->plan->prefer != LB_FAMILY_NONE)
        return families->common->plan->prefer;
    return families->chosen != LB_FAMILY_NONE ? families->chosen : addrs[0].family;
}

/* On the machine's own network nothing is known of its addresses: the host's order may know
 * more. */
static bool is_of_use(const struct lb_families *families, enum lb_family family) {
    return !families->network->is_set || lb_net_has_family(&families->network->net, family);
}

/* The next of the family, from *at on; NULL: there is none. */
static const struct lb_addr *next_of(const struct lb_addr *addrs, size_t count,
                                     enum lb_family family, size_t *at) {
    while (*at < count)
        if (addrs[(*at)++].family == family)
            return &addrs[*at - 1];
    return NULL;
}

static size_t take_turns(const struct lb_addr *addrs, size_t count, const enum lb_family order[2],
                         struct lb_addr *sorted) {
    size_t kept = 0, at[LB_BOOT_FAMILIES] = {0, 0};
    for (size_t i = 0; i < 2 * count; i++) {
        const struct lb_addr *next = next_of(addrs, count, order[i % 2], &at[i % 2]);
        if (next != NULL)
            sorted[kept++] = *next;
    }
    return kept;
}

static size_t take_family(const struct lb_addr *addrs, size_t count, enum lb_family family,
                          struct lb_addr *sorted) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (addrs[i].family == family)
            sorted[kept++] = addrs[i];
    return kept;
}

size_t lb_families_sort(const struct lb_families *families, struct lb_addr *addrs, size_t count) {
    struct lb_addr sorted[LB_PORTALS_MAX];
    size_t kept;
    count = LB_MIN(count, LB_PORTALS_MAX);
    if (count == 0)
        return 0;
    enum lb_family first = first_family(families, addrs);
    enum lb_family order[LB_BOOT_FAMILIES] = {first, first == LB_V6 ? LB_V4 : LB_V6};
    if (is_of_use(families, order[0]) == is_of_use(families, order[1])) {
        kept = take_turns(addrs, count, order, sorted);
    } else { /* RFC 6724 6, rule 1 */
        bool second = is_of_use(families, order[1]);
        kept = take_family(addrs, count, order[second], sorted);
        kept += take_family(addrs, count, order[!second], sorted + kept);
    }
    memcpy(addrs, sorted, kept * sizeof addrs[0]);
    return kept;
}
