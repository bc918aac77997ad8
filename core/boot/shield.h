/* IPsec around the connections of a boot: an association of IKE and its keys for each peer. What is
 * to be protected waits for it, and is never let through without.
 *
 *   engine                               shield
 *   lb_shield_want, before a connection  -->  CLEAR, UP: connect. WAIT: ask again after a turn.
 *                                             FAILED: the error says why
 *   loop: lb_shield_turn                 -->  an action: SEND; asks: SOURCE, OPEN
 *         lb_shield_source, lb_shield_datagram
 *   lb_shield_seal, lb_shield_open       <->  each packet of a protected connection
 *
 * All peers share port 4500, and all ESP is in UDP (RFC 3948): a host needs one socket and no right
 * to send other protocols. Where the kernel has the keys ESP is in UDP only where a NAT is on the
 * way: so no socket, and nobody who holds it, is needed to receive it. */
#ifndef LB_BOOT_SHIELD_H
#define LB_BOOT_SHIELD_H

#include "core/boot/stage.h"
#include "core/ike/ike.h"

enum {
    LB_SHIELD_PEERS = 4, /* target, iSNS, SLP, and one to fail over to */
    LB_SHIELD_PAIRS = 3, /* of a peer: the newest sends, older ones still receive */
    LB_SHIELD_GIVE_UP_S = 10,
};

enum lb_shield_state {
    LB_SHIELD_FREE,
    LB_SHIELD_ASKS_SOURCE, /* which address of ours it is from */
    LB_SHIELD_ASKS_PEER,   /* IKE */
    LB_SHIELD_IS_UP,
    LB_SHIELD_IS_ANOTHERS, /* the kernel protects it, by keys of another process; for a while */
    LB_SHIELD_HAS_FAILED,  /* until somebody has heard why */
};

/* Holds keys: lb_shield_stop wipes it. */
struct lb_shield_peer {
    enum lb_shield_state state;
    struct lb_addr remote;
    struct lb_ike ike;
    struct lb_ipsec pairs[LB_SHIELD_PAIRS]; /* the newest is the last */
    size_t pair_count;
    struct lb_error error;
    bool is_protected;  /* the host's kernel lets nothing of it pass in clear */
    uint64_t wanted_us; /* when somebody last wanted it */
    uint64_t shared_us; /* IS_ANOTHERS: since when */
    size_t step;        /* of the report */
};

struct lb_shield {
    struct lb_common *common;
    bool has_esp;            /* the host carries packets */
    bool in_kernel;          /* and its kernel has the keys */
    bool has_others;         /* this machine has other associations of the same identities */
    bool is_open4, is_open6; /* the slots */
    struct lb_shield_peer peers[LB_SHIELD_PEERS];
    bool has_prepared;     /* key_pair was made, or is not needed */
    struct lb_dh key_pair; /* for the first exchange, while the network is waited for; then empty */
    uint8_t byes[LB_SHIELD_PEERS][128]; /* the last words to each, while they wait as asks */
    uint64_t refused_out, refused_in;   /* packets without a peer, or not authentic */
};

enum lb_shield_says {
    LB_SHIELD_CLEAR, /* such connections are not protected */
    LB_SHIELD_UP,
    LB_SHIELD_WAIT,
    LB_SHIELD_FAILED,
};

/* Its start: nobody is protected yet. common outlives it. in_kernel: keys are the host's (PROTECT),
 * and nothing goes by lb_shield_seal and lb_shield_open. */
void lb_shield_init(struct lb_shield *shield, struct lb_common *common, bool has_esp,
                    bool in_kernel);
/* Whether connections of this kind, to the target or of discovery, are to be protected. */
bool lb_shield_covers(const struct lb_shield *shield, bool is_discovery);
/* A connection to remote is wanted. FAILED: *error says why, and the next call tries anew. */
enum lb_shield_says lb_shield_want(struct lb_shield *shield, uint64_t now_us, struct lb_addr remote,
                                   bool is_discovery, struct lb_error *error);
/* Why a connection to remote that was wanted is not protected by now: IKE's error, or that nothing
 * has come of it so far. */
void lb_shield_why(const struct lb_shield *shield, struct lb_addr remote, struct lb_error *error);
/* Our address in the association with remote, which is UP; family none: there is none. */
struct lb_addr lb_shield_local(const struct lb_shield *shield, struct lb_addr remote);
/* The host's answer: from is our address for packets to `to`. */
void lb_shield_source(struct lb_shield *shield, uint64_t now_us, struct lb_addr to,
                      struct lb_addr from);
/* As lb_boot_not_alone. */
void lb_shield_not_alone(struct lb_shield *shield);
/* As lb_boot_guarded. */
void lb_shield_guarded(struct lb_shield *shield, uint64_t now_us, struct lb_addr to,
                       struct lb_addr from);
/* As lb_boot_no_keys. */
void lb_shield_no_keys(struct lb_shield *shield, uint64_t now_us, struct lb_addr to,
                       const struct lb_error *error);
/* A datagram of IKE. */
void lb_shield_datagram(struct lb_shield *shield, uint64_t now_us, struct lb_endpoint from,
                        struct lb_bytes bytes);
/* What IKE has to send, and to say. */
enum lb_turn lb_shield_turn(struct lb_shield *shield, uint64_t now_us,
                            struct lb_boot_action *action);
/* As lb_boot_seal. */
struct lb_bytes lb_shield_seal(struct lb_shield *shield, struct lb_bytes packet,
                               struct lb_span room, struct lb_endpoint *to);
/* As lb_boot_open. */
struct lb_bytes lb_shield_open(struct lb_shield *shield, struct lb_endpoint from,
                               struct lb_span esp);
/* As lb_boot_hand_over_ike. */
bool lb_shield_hand_over(struct lb_shield *shield, struct lb_addr remote, struct lb_ike *ike);
/* Tells all peers that it is over, closes the slot and wipes all keys. */
void lb_shield_stop(struct lb_shield *shield, uint64_t now_us);

#endif
