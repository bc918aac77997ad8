/* The pump: what every host does in the same way. It polls the engine, has each action carried out,
 * knows what each slot is open for, and moves the bytes of the streams.
 *
 *   lb_pump_init
 *   loop: lb_pump_run                 carries out what the engine asks for, and sends
 *         lb_pump_read                receives on all streams
 *         lb_pump_connected, _lost    how a connection went
 *         lb_boot_datagram, ...       everything else that happened: boot.h
 *         sleep until pump.until_us
 *
 * What only a host can do it does in the functions lb_host_*, which each program defines once; they
 * are found when it is linked, and nothing else of core/ calls them. Each may call the engine, and
 * lb_pump_lost, before it returns. */
#ifndef LB_BOOT_PUMP_H
#define LB_BOOT_PUMP_H

#include "core/boot/boot.h"

enum lb_pump_use {
    LB_PUMP_FREE,
    LB_PUMP_DATAGRAM,
    LB_PUMP_CONNECTING,
    LB_PUMP_STREAM,
};

struct lb_host; /* the host's own struct, by whatever name; the pump hands its pointer on */

struct lb_pump {
    struct lb_boot *boot;
    struct lb_host *host;
    struct lb_bytes *pieces; /* of one lb_host_write */
    size_t pieces_max;
    enum lb_pump_use slots[LB_BOOT_SLOTS_MAX]; /* the host reads it, and the pump alone writes it */
    uint64_t until_us; /* of the last WAIT: when the engine wants to be polled again, or LB_NEVER */
    uint64_t moves;    /* counts: actions, reads and writes that moved bytes, connections */
};

/* The engine, the host and the pieces stay the caller's, and outlive the pump. */
void lb_pump_init(struct lb_pump *pump, struct lb_boot *boot, struct lb_host *host,
                  struct lb_bytes *pieces, size_t pieces_max);

/* Has one action of lb_boot_poll carried out. READY, OFFERS, FAILED and OUT are the caller's. */
void lb_pump_carry_out(struct lb_pump *pump, uint64_t now_us, const struct lb_boot_action *action);
/* Polls the engine, and has carried out what it asks for, until it says WAIT, or one of READY,
 * OFFERS, FAILED and OUT, which it gives. After the latter the caller calls it again. */
enum lb_boot_event lb_pump_serve(struct lb_pump *pump, uint64_t now_us);
/* One turn of lb_pump_run: has an action of lb_boot_poll carried out, and after WAIT sends on all
 * streams. True: the engine is to be polled again, now. */
bool lb_pump_turn(struct lb_pump *pump, uint64_t now_us, const struct lb_boot_action *action);
/* Polls the engine and takes its turn, until neither the engine nor a stream has more to do, or one
 * of READY, OFFERS, FAILED and OUT has come, which it gives. */
enum lb_boot_event lb_pump_run(struct lb_pump *pump, uint64_t now_us);

/* One lb_host_read of a slot that is a stream. True: bytes came, or the connection was lost. */
bool lb_pump_read_slot(struct lb_pump *pump, uint64_t now_us, uint32_t slot);
/* The same for each stream. */
bool lb_pump_read(struct lb_pump *pump, uint64_t now_us);
/* One lb_host_write of a slot that is a stream. True: bytes went, or the connection was lost. */
bool lb_pump_write_slot(struct lb_pump *pump, uint64_t now_us, uint32_t slot);

/* The connection of lb_host_connect is there. */
void lb_pump_connected(struct lb_pump *pump, uint64_t now_us, uint32_t slot);
/* It could not be made, or has ended. The host has closed its end already. */
void lb_pump_lost(struct lb_pump *pump, uint64_t now_us, uint32_t slot, enum lb_initiator_lost why);
/* The slot's connection has a new owner (lb_boot_hand_over): it is forgotten without a close. */
void lb_pump_release(struct lb_pump *pump, uint32_t slot);

/* ---- what a host defines --------------------------------------------------------------------- */

/* LINK: brings the interface up, and tells its state by lb_boot_link, now and at each change. */
void lb_host_link(struct lb_host *host, uint64_t now_us);
/* OPEN: action->slot becomes a socket for datagrams of action->kind. False: there is none; where
 * the boot cannot go on without it the host has called lb_boot_host_failed. */
bool lb_host_open(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action);
/* SEND: one datagram. What cannot be sent is lost, as on a wire. */
void lb_host_send(struct lb_host *host, const struct lb_boot_action *action);
/* PROBE: asks who has action->probe, and tells the answer by lb_boot_probed, now or later. */
void lb_host_probe(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action);
/* SET_ADDRESS: the whole configuration of the interface; lb_boot_address_set, now or later. */
void lb_host_set_address(struct lb_host *host, uint64_t now_us, const struct lb_boot_net *net);
/* CLEAR_ADDRESS: takes all addresses away, now. */
void lb_host_clear_address(struct lb_host *host);
/* CONNECT: begins a TCP connection; lb_pump_connected or lb_pump_lost, now or later. */
void lb_host_connect(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action);
/* CLOSE: whatever the slot is open for; it may be free. */
void lb_host_close(struct lb_host *host, uint32_t slot);
/* SOURCE, PROTECT and UNPROTECT: a host without has_esp is never called, and does nothing. */
void lb_host_ipsec(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action);
/* Receives into at most two spans, without waiting. 0: nothing is there, or the connection has
 * ended, of which the host tells by lb_pump_lost. */
size_t lb_host_read(struct lb_host *host, uint64_t now_us, uint32_t slot,
                    const struct lb_span *spans, size_t count);
/* Sends a part of the pieces or all of them, without waiting; how many bytes. 0 as above. */
size_t lb_host_write(struct lb_host *host, uint64_t now_us, uint32_t slot,
                     const struct lb_bytes *pieces, size_t count);

#endif
