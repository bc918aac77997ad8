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

/* Takes the card and starts an engine. The configuration stays the caller's. False: *why. */
bool loop_start(EFI_HANDLE card, unsigned number, const struct lb_config *config,
                const uint8_t uuid[16], const struct lb_dhcp4_lease *lease_or_null,
                struct lb_error *why);
/* One turn: frames, timers, the engine's actions, the stream. Gives whether anything moved. */
bool loop_turn(void);
/* The engine was asked for something from outside: the next turn looks after it. */
void loop_stir(void);
enum loop_state loop_state(void);
/* Logs out, gives the card back. */
void loop_stop(void);
/* Lets go of the card without a word to the target: the operating system takes over. */
void loop_abandon(void);

/* Forgets the random numbers: the operating system takes over. */
void loop_wipe(void);

struct lb_boot *loop_engine(void);
struct nic *loop_nic(void);
struct local_end loop_local_end(void); /* of the session */

#endif
