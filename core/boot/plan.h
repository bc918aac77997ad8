/* The configuration, read once: the words and lists of it that the stages ask for again and again,
 * as enums and flags. Made when the engine is, and never changed. Numbers and texts that are used
 * as they stand are still read from `config`. */
#ifndef LB_BOOT_PLAN_H
#define LB_BOOT_PLAN_H

#include "core/boot/boot.h"

enum { LB_BOOT_FAMILIES = 2 }; /* IPv4, IPv6, in this order */

/* What the key `discovery` says of a service. */
struct lb_plan_service {
    bool is_on;      /* it may be asked */
    bool is_chosen;  /* a person wrote its word, so that it is not only on by `auto` */
    unsigned before; /* how many services a person wrote before it: the order of preference */
};

/* Which connections IPsec protects. */
enum lb_plan_ipsec { LB_PLAN_CLEAR, LB_PLAN_SHIELDS_TARGET, LB_PLAN_SHIELDS_ALL };

struct lb_plan {
    const struct lb_config *config; /* the caller's; outlives the plan */
    enum lb_boot_goal goal;
    bool network_is_up, has_ipv6; /* of the setup */
    uint8_t mac[6], uuid[16];
    bool has_arch; /* DHCP servers are told the client architecture: client-arch */
    uint16_t arch;
    uint64_t clock_us; /* to be added to now: microseconds since 1970, or since the start */

    bool is_dry; /* offers are collected and none is taken: PROBE, and DISCOVER over the machine's
                    network */
    struct lb_prefix address;    /* the key; family none: none, or a dry run */
    bool asks[LB_BOOT_FAMILIES]; /* the families that are used: `family`, or that of `address` */
    enum lb_family family;       /* the key `family`; none: both */
    enum lb_family prefer;       /* prefer-family; none: no preference */
    unsigned person_names;       /* flags of lb_iscsi_name_parse, for what a person writes */
    unsigned network_names;      /* and for what the network says */
    struct lb_plan_service services[LB_BY_SENDTARGETS + 1]; /* by enum lb_service */
    enum lb_plan_ipsec ipsec;
    bool names_any_target; /* allow-target has a name that is not a family of them */
};

/* Reads it; the setup is not kept, its config is. */
struct lb_plan lb_plan_of(const struct lb_boot_setup *setup);
/* The place of a family in arrays of LB_BOOT_FAMILIES: 1 for IPv6, else 0. */
size_t lb_plan_index(enum lb_family family);
/* Whether this family is used. */
bool lb_plan_asks(const struct lb_plan *plan, enum lb_family family);
/* Whether the key `address` gives the address of this family; never in a dry run. */
bool lb_plan_is_static(const struct lb_plan *plan, enum lb_family family);
/* Whether allow-target names this target, and not a family of them with a *: then a person means it
 * to be booted. */
bool lb_plan_names_target(const struct lb_plan *plan, const char *target);
/* Whether accept-names and accept-underscore take a target's name from the network. */
bool lb_plan_takes_name(const struct lb_plan *plan, const char *target);

#endif
