/* The engine's struct, which holds its stages, and the calls between its own files. Hosts need only
 * the size. */
#ifndef LB_BOOT_STATE_H
#define LB_BOOT_STATE_H

#include "core/boot/attempts.h"
#include "core/boot/boot_report.h"
#include "core/boot/candidates.h"
#include "core/boot/choice.h"
#include "core/boot/families.h"
#include "core/boot/finder.h"
#include "core/boot/listing.h"
#include "core/boot/login.h"
#include "core/boot/names.h"
#include "core/boot/network.h"
#include "core/boot/path.h"
#include "core/boot/policy.h"
#include "core/boot/shield.h"
#include "core/boot/unit.h"
#include "core/initiator/initiator_session.h"

/*        start ──> link ──> dhcp ──> address ──> (discovery) ──> session ──> disk ──> up
 *          │         └── configured ──^              ^              │          │
 *          └── the machine's own network ────────────┘              └─failure──┤
 *                                                                              v
 *        over <── no time or attempts left ── backoff <──────────────────── closing
 *        up ── the session is lost for good ──> over
 *        any state ── lb_boot_stop ──> closing ──> over
 *
 * The clients of DHCP, both families', and of IPv6's routers keep running beside the later states.
 *
 * How old an answer may be: after a failed attempt, the DHCP client confirms its lease during the
 * pause (by a REQUEST; it keeps the lease if nobody answers). Each attempt chooses its target anew,
 * from the configuration and the latest lease. So the next attempt uses a Root Path that was
 * corrected on the server. BOOTP cannot confirm a lease: there, each attempt asks anew. */
enum lb_boot_state {
    LB_AT_START,
    LB_AT_LINK,      /* waits for the link */
    LB_AT_DHCP,      /* asks both families for an address and a disk; in a dry run, for offers */
    LB_AT_ADDRESS,   /* waits for the host to configure the interface */
    LB_AT_DISCOVERY, /* asks the services where the disk is */
    LB_AT_SESSION,   /* resolves, connects, logs in */
    LB_AT_DISK,      /* asks what the LUN is */
    LB_AT_UP,
    LB_AT_CLOSING, /* logs out, after a failure or because it was told to */
    LB_AT_BACKOFF,
    LB_AT_OVER,
};

struct lb_boot {
    struct lb_boot_setup setup;
    struct lb_plan plan;
    char interface[32];
    struct lb_rand rand;
    struct lb_trace trace;
    struct lb_report report;

    /* The engine's own. */
    enum lb_boot_state state;
    uint64_t enter_us, deadline_us; /* of the state */
    struct lb_error error;          /* of this attempt: the first failure is kept */
    bool has_failed;                /* error says why; the engine has not acted on it yet */
    bool stopping, was_up;
    bool release_due, has_released; /* after lb_boot_stop */
    size_t step_link;               /* of the report */
    char initiator[LB_NAME_MAX + 1];
    struct lb_choice choice; /* what was chosen, then the candidate that is being tried */

    /* The stages: each writes its own struct alone. */
    struct lb_common common; /* what they are lent */
    struct lb_attempts attempts;
    struct lb_network network;
    struct lb_passed passed;
    struct lb_judge judge;
    struct lb_families families;
    struct lb_finder finder;
    struct lb_candidates candidates;
    struct lb_names names;
    struct lb_shield shield;
    struct lb_path path;
    struct lb_unit unit;
    struct lb_listing listing;
};

/* boot_engine.c: what the engine's files have in common */
/* Enters a state: traces it, and sets enter_us and the deadline. Nothing else writes
 * boot->state. */
void lb_boot_enter(struct lb_boot *boot, uint64_t now_us, enum lb_boot_state state);
/* The attempt has failed; the error is in boot->error. When the current call has
 * returned, boot.c closes the session, and backs off or gives up. */
void lb_boot_attempt_failed(struct lb_boot *boot);

/* Chooses our own name and reports it: boot->initiator. False: boot->error is set. */
bool lb_boot_choose_name(struct lb_boot *boot, uint64_t now_us,
                         const struct lb_boot_answer *answer_or_null);

/* boot_network.c: the link, and which family is followed */
/* Starts an attempt: brings the link up and asks both families. Clients of the last attempt that
 * still run are kept. */
void lb_boot_network_start(struct lb_boot *boot, uint64_t now_us);
/* A turn of the network, then of the choice between the families. */
enum lb_turn lb_boot_network_turn(struct lb_boot *boot, uint64_t now_us,
                                  struct lb_boot_action *action);
/* The state of the link, at first and when it changes. */
void lb_boot_network_link(struct lb_boot *boot, uint64_t now_us, bool up);
/* The host has configured the interface, or could not: `why` is the system's error, else NULL. */
void lb_boot_network_set(struct lb_boot *boot, uint64_t now_us, const char *why);
/* A datagram of DHCP, DHCPv6 or Neighbor Discovery; ignored where that client does not run. */
void lb_boot_network_datagram(struct lb_boot *boot, uint64_t now_us, uint32_t slot,
                              struct lb_endpoint from, struct lb_bytes bytes);
/* Discovery ended without a disk, and boot->error says so. True: the other family may still name
 * one, so the attempt waits for it. */
bool lb_boot_network_may_save(struct lb_boot *boot, uint64_t now_us);

/* boot_discovery.c: the Discovery stage. The network is configured, and the target is chosen as far
 * as configuration and network name it. If something is missing, the services are asked first. */
/* Starts what is needed: the boot stage at once where a candidate is known, else the services. */
void lb_discovery_stage_start(struct lb_boot *boot, uint64_t now_us);
/* A turn of each service; when all have ended, or time is up, the stage ends. */
enum lb_turn lb_discovery_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                     struct lb_boot_action *action);
/* Ends all services and closes their slots. Harmless if none runs. */
void lb_discovery_stage_stop(struct lb_boot *boot, uint64_t now_us);
/* boot_session.c: the boot stage. Tries the best candidate. */
/* Takes the best candidate and logs in to it; without one the attempt has failed. */
void lb_session_stage_start(struct lb_boot *boot, uint64_t now_us);
/* A discovery session to boot->target's server. False: boot->error is set. */
bool lb_session_list_start(struct lb_boot *boot, uint64_t now_us);
/* The session for SendTargets is logged in: asks for the list. */
void lb_session_list_ready(struct lb_boot *boot, uint64_t now_us);
/* The addresses of the name that the session asked for, best first. Those that may not be used are
 * passed over; where none is left, the first is tried, and refused with its error. */
void lb_session_stage_resolved(struct lb_boot *boot, uint64_t now_us,
                               struct lb_names_answer *answer);
/* Whatever the session still had to do is given up, and each request of the disk has its end. */
void lb_session_end(struct lb_boot *boot, uint64_t now_us);
/* After a failure, with the session closed: goes on to the next candidate, or waits for one. False:
 * there is none, and boot->error is the attempt's. */
bool lb_session_stage_next(struct lb_boot *boot, uint64_t now_us);
/* What happened to the session in its turn. */
enum lb_session_news {
    LB_SESSION_SAME,
    LB_SESSION_READY,  /* logged in, for the first time or again, and the policy is content */
    LB_SESSION_FAILED, /* it cannot be used: boot->error says why */
};
/* Carries out what the session wants, and follows its state. IDLE where it does not run. */
enum lb_turn lb_session_stage_turn(struct lb_boot *boot, uint64_t now_us,
                                   struct lb_boot_action *action, enum lb_session_news *news);
/* The session is there: asks for its targets, or for the disk; one that is back goes on. */
void lb_disk_stage_start(struct lb_boot *boot, uint64_t now_us);
/* A turn of what uses the session: the list of targets, the search for the LUN, or the disk. *is_up
 * is set when the disk has come up. */
enum lb_turn lb_disk_stage_turn(struct lb_boot *boot, uint64_t now_us, bool *is_up);

#endif
