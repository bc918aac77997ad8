/* Carries out what the engine asks for, on one card. Nothing blocks but loop_until_ready. */
#ifndef LB_UEFI_LOOP_H
#define LB_UEFI_LOOP_H

#include "core/boot/boot_state.h"
#include "hosts/uefi/local_end.h"
#include "hosts/uefi/nic.h"

enum loop_state {
    LOOP_RUNS,
    LOOP_READY,  /* the disk is there; loop_turn keeps it alive */
    LOOP_FAILED, /* see lb_boot_report(loop_engine())->error */
    LOOP_OUT,    /* after loop_stop */
};

/* Starts an engine on an open card. Card and configuration stay the caller's. False: *why. */
bool loop_start(struct nic *nic, const struct lb_config *config, const uint8_t uuid[16],
                const struct lb_dhcp4_lease *lease_or_null, struct lb_error *why);
/* One turn: frames, timers, the engine's actions, the stream. Gives whether anything moved. */
bool loop_turn(void);
/* The engine was asked for something from outside: the next turn looks after it. */
void loop_stir(void);
enum loop_state loop_state(void); /* the engine's state after the last turn */
/* What DHCP servers proved is stored, so that it cannot be played again after a restart. */
void loop_store_seen(void);
/* Logs out; the card stays open. */
void loop_stop(void);

/* Forgets the random numbers: the operating system takes over. */
void loop_wipe(void);

/* The engine, also one that has failed; NULL before the first loop_start. */
struct lb_boot *loop_engine(void);
struct nic *loop_nic(void);            /* the card of loop_start */
struct local_end loop_local_end(void); /* of the session */

#endif
