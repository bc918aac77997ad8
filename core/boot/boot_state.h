/* The engine's fields, and what its files say to each other. Hosts need the size alone. */
#ifndef LB_BOOT_STATE_H
#define LB_BOOT_STATE_H

#include "core/boot/boot.h"
#include "core/iscsi/iscsi_disk_state.h"
#include "core/iscsi/iscsi_session.h"

/*        start ──> link ──> dhcp ──> address ──> (discovery) ──> session ──> disk ──> up
 *          │         └── configured ──^              ^              │          │
 *          └── the machine's own network ────────────┘              └─failure──┤
 *                                                                              v
 *        over <── no time or attempts left ── backoff <──────────────────── closing
 *        up ── the session is lost for good ──> over
 *        any state ── lb_boot_stop ──> closing ──> over
 *
 * The DHCP client keeps running beside the later states, and renews the lease.
 *
 * How old an answer may be: each failed attempt has the DHCP client confirm its lease during the
 * pause (a REQUEST; where nobody answers the lease is kept), and each attempt chooses its target
 * anew, from the configuration and the latest lease. So a Root Path that was corrected on the
 * server is used by the next attempt. BOOTP has no way to confirm: there each attempt asks anew. */
enum lb_boot_state {
    LB_AT_START,
    LB_AT_LINK,      /* waits for the link */
    LB_AT_DHCP,      /* waits for a lease, or for the offers of a dry run */
    LB_AT_ADDRESS,   /* waits for the host to configure the interface */
    LB_AT_DISCOVERY, /* asks who has the disk */
    LB_AT_SESSION,   /* resolve, connect, login */
    LB_AT_DISK,      /* what is this LUN? */
    LB_AT_UP,
    LB_AT_CLOSING, /* logs out, after a failure or because it was told to */
    LB_AT_BACKOFF,
    LB_AT_OVER,
};

/* Asks of the engine's own that wait for a poll: at the end each of ten slots may be closed, the
 * address taken away, and the end told. */
#define LB_BOOT_TARGETS_MAX 32 /* portals of targets that are listed; a person reads them */
#define LB_BOOT_ASKS_MAX    16

/* Slots: fixed numbers, for there is one of each. */
enum {
    LB_BOOT_SLOT_DHCP4 = 0,
    LB_BOOT_SLOT_SESSION = 1,
    LB_BOOT_SLOT_DHCP6 = 2,
    LB_BOOT_SLOT_ND6 = 3,
    LB_BOOT_SLOT_SLP4 = 4, /* UDP */
    LB_BOOT_SLOT_SLP6 = 5, /* UDP */
    LB_BOOT_SLOT_SLP_TCP = 6,
    LB_BOOT_SLOT_ISNS = 7, /* TCP */
    LB_BOOT_SLOT_ISNS_UDP = 8,
    LB_BOOT_SLOT_TARGETS = 9, /* TCP: SendTargets */
};

/* Who has a name looked up; each has one at a time. */
enum lb_asker {
    LB_ASKER_SESSION,
    LB_ASKER_SLP,
    LB_ASKER_ISNS,
    LB_ASKER_TARGETS,
    LB_ASKERS,
};

struct lb_lookup {
    enum lb_asker asker;
    const char *name; /* the asker's */
};

/* What the network said of the disk and of us, of either family. Its memory is the lease's. A
 * zeroed one is an answer that says nothing. */
struct lb_boot_answer {
    enum lb_family family;
    char from[48];             /* whose it is: "DHCP server 192.0.2.2", "router fe80::1" */
    struct lb_bytes root_path; /* as received; empty: none */
    char root_path_from[48];   /* who gave it: not always the same (proxyDHCP) */
    unsigned root_path_option; /* its number: 17, or 59 of DHCPv6 */
    unsigned root_path_flags;  /* for lb_rootpath_parse: LB_ROOTPATH_URI of option 59 */
    const char *initiator;     /* option 203; NULL or empty: none */
};

struct lb_boot {
    struct lb_boot_setup setup;
    char interface[32];
    enum lb_boot_state state;
    struct lb_rand rand;
    struct lb_trace trace;
    struct lb_report report;
    struct lb_error error; /* of this attempt: the first failure is kept */

    struct lb_boot_action asks[LB_BOOT_ASKS_MAX];
    size_t ask_count;
    uint64_t until_us; /* the earliest deadline seen in this poll */

    uint64_t start_us, enter_us, deadline_us;
    unsigned attempts; /* begun so far */
    bool link_up, stopping, was_up;
    bool release_due, has_released;                       /* after lb_boot_stop */
    size_t step_link, step_dhcp, step_session, step_disk; /* report steps */

    struct lb_dhcp4_client dhcp;
    bool dhcp_runs, dhcp_open, has_lease;
    struct lb_error lease_error;          /* why it was lost, until there is another */
    struct lb_dhcp4_lease firmware_lease; /* setup.lease4 */
    bool has_firmware_lease;              /* and it was not tried yet */
    struct lb_boot_net net;
    bool net_set;

    char initiator[LB_NAME_MAX + 1];
    struct lb_rootpath wanted; /* what configuration and network name; the server may be blank */
    struct lb_rootpath target; /* what is being tried */
    bool has_target;           /* with its server */
    bool server_from_network;  /* not by a person's word */
    char target_source[80];    /* "configuration", "DHCP server 192.0.2.1" */
    struct lb_error unnamed;   /* why the target, or its server, is not known; LB_OK: it is */
    struct lb_candidate candidates[LB_CANDIDATES_MAX]; /* in their order */
    size_t candidate_count, candidates_dropped;
    size_t candidate_current;   /* the one that is tried, or LB_CANDIDATES_MAX */
    uint32_t candidate_targets; /* names heard so far */

    struct lb_lookup lookups[LB_ASKERS]; /* the first is the host's, once looking_up */
    size_t lookup_count;
    bool looking_up;

    struct lb_iscsi session;
    bool session_runs, slot_open; /* open, or being opened */
    enum lb_iscsi_state session_seen;
    unsigned logins_seen;
    struct lb_disk disk;
    bool disk_started;
    struct lb_iscsi_found found[LB_BOOT_TARGETS_MAX]; /* goal TARGETS */
};

/* What a part of the engine did in its turn. */
enum lb_turn {
    LB_TURN_IDLE,  /* nothing; its deadline is in until_us */
    LB_TURN_AGAIN, /* something changed: look at everything again */
    LB_TURN_ACT,   /* *action is for the host */
};

/* boot.c */
void lb_boot_enter(struct lb_boot *boot, uint64_t now_us, enum lb_boot_state state);
struct lb_boot_action *lb_boot_ask(struct lb_boot *boot, enum lb_boot_event event);
void lb_boot_until(struct lb_boot *boot, uint64_t until_us);
/* Ends the attempt: closes, then backs off or gives up. The error is in boot->error. */
void lb_boot_attempt_failed(struct lb_boot *boot, uint64_t now_us);

/* boot_slots.c */
/* Has a name looked up, in its turn: the answer is lb_iscsi_resolved of the session, or
 * lb_discovery_resolved. A name that the asker asked for before is given up. The name's memory
 * stays the asker's until it is answered or given up. */
void lb_resolve_name(struct lb_boot *boot, enum lb_asker asker, const char *name);
void lb_resolve_cancel(struct lb_boot *boot, enum lb_asker asker);
enum lb_turn lb_resolve_turn(struct lb_boot *boot, struct lb_boot_action *action);

/* boot_policy.c */
bool lb_policy_enabled(struct lb_boot *boot);
/* Whether it may be tried, as far as can be told before its name is resolved; else *error is set.
 */
bool lb_policy_candidate(const struct lb_boot *boot, const struct lb_candidate *candidate,
                         struct lb_error *error);
/* Whether a person named this server: then it may be the machine itself. */
bool lb_policy_is_by_person(const struct lb_boot *boot, const struct lb_candidate *candidate);
/* Whether a connection to this address may be made; else sets the error. */
bool lb_policy_portal(struct lb_boot *boot, struct lb_endpoint peer);
/* Whether the configured secrets may be used; else sets the error. */
bool lb_policy_secrets(struct lb_boot *boot, uint64_t now_us);
/* Whether the session has what `require` asks for; else sets the error. */
bool lb_policy_session(struct lb_boot *boot);
/* Whether the same attempt may succeed later. */
bool lb_policy_may_pass(enum lb_code code);
uint64_t lb_policy_delay_us(struct lb_boot *boot);
bool lb_policy_has_attempts(struct lb_boot *boot, uint64_t now_us, uint64_t delay_us);

/* boot_net.c: what is known of the network */
struct lb_boot_answer lb_answer_of_lease4(const struct lb_dhcp4_lease *lease);

/* boot_target.c: what is booted: configuration before network. Each call starts anew; false: the
 * error is set. The answer is the network's, or NULL where it was not asked. */
bool lb_target_from_config(struct lb_boot *boot);
bool lb_target_choose(struct lb_boot *boot, uint64_t now_us, const struct lb_boot_answer *answer);
bool lb_initiator_choose(struct lb_boot *boot, uint64_t now_us,
                         const struct lb_boot_answer *answer_or_null);
/* Whether a configured name is one; else sets the error. */
bool lb_initiator_is_valid(struct lb_boot *boot);

/* boot_dhcp.c: the link and DHCP stages */
void lb_dhcp_stage_start(struct lb_boot *boot, uint64_t now_us);
void lb_dhcp_stage_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                            struct lb_endpoint from, struct lb_bytes bytes);
enum lb_turn lb_dhcp_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                struct lb_boot_action *action);
void lb_dhcp_stage_stop(struct lb_boot *boot);
/* Configured address: fills net; false when there is none. */
bool lb_address_from_config(struct lb_boot *boot, uint64_t now_us);

/* boot_discovery.c: the Discovery stage. The network is configured, the target chosen as far as
 * configuration and network name it: goes on to the boot stage, by way of discovery where something
 * is still open. */
void lb_discovery_stage_start(struct lb_boot *boot, uint64_t now_us);
enum lb_turn lb_discovery_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                     struct lb_boot_action *action);
/* Gives up whatever it still does, and closes its slots: also when it does nothing. */
void lb_discovery_stage_stop(struct lb_boot *boot);
/* What came on its slots, LB_BOOT_SLOT_SLP4 to _TARGETS; also late, after a slot was closed. */
void lb_discovery_connected(struct lb_boot *boot, uint64_t now_us, uint32_t slot);
void lb_discovery_lost(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                       enum lb_iscsi_lost why);
size_t lb_discovery_where(struct lb_boot *boot, uint32_t slot, struct lb_span spans[2]);
void lb_discovery_got(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len);
size_t lb_discovery_gather(struct lb_boot *boot, uint32_t slot, struct lb_bytes *pieces,
                           size_t cap);
void lb_discovery_sent(struct lb_boot *boot, uint64_t now_us, uint32_t slot, size_t len);
void lb_discovery_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                           struct lb_endpoint from, struct lb_bytes bytes);
/* The answer of lb_resolve_name; count 0: the name does not resolve. */
void lb_discovery_resolved(struct lb_boot *boot, uint64_t now_us, enum lb_asker asker,
                           const struct lb_addr *addrs, size_t count);

/* boot_candidates.c: what may be booted, and in which order; boot.h has the rules */
void lb_candidates_clear(struct lb_boot *boot);
/* Fields of the order are filled in here, so is `refused` by the policy unless it is set. A second
 * word on the same portal is merged with the first. */
void lb_candidates_add(struct lb_boot *boot, uint64_t now_us, const struct lb_candidate *found);
/* The best that was not tried yet; NULL: none. Valid until the next call. */
const struct lb_candidate *lb_candidates_best(const struct lb_boot *boot);
/* Takes it: it is the boot's target then. False: none. */
bool lb_candidates_next(struct lb_boot *boot);
/* boot->error is why the current candidate failed; there is none current then. False: there was
 * none, so the failure was not a candidate's. */
bool lb_candidates_failed(struct lb_boot *boot);
/* All have failed: boot->error says how, the most telling failure first. */
void lb_candidates_verdict(struct lb_boot *boot);
/* Whether another attempt may end better. */
bool lb_candidates_may_pass(const struct lb_boot *boot);

/* boot_session.c: the boot stage. Tries the best candidate. */
void lb_session_stage_start(struct lb_boot *boot, uint64_t now_us);
/* A discovery session to boot->target's server: goal TARGETS. */
void lb_session_list_start(struct lb_boot *boot, uint64_t now_us);
/* After a failure, with the session closed: goes on to the next candidate, or waits for one. False:
 * there is none, and boot->error is the attempt's. */
bool lb_session_stage_next(struct lb_boot *boot, uint64_t now_us);
enum lb_turn lb_session_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                   struct lb_boot_action *action);
enum lb_turn lb_disk_stage_turn(struct lb_boot *boot, uint64_t now_us);

/* boot_report.c: the facts of each stage */
void lb_report_lease(struct lb_boot *boot, uint64_t now_us, const struct lb_dhcp4_lease *lease);
void lb_report_target(struct lb_boot *boot, uint64_t now_us);
void lb_report_session(struct lb_boot *boot, uint64_t now_us);
void lb_report_disk(struct lb_boot *boot, uint64_t now_us);

#endif
