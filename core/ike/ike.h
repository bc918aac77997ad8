/* IKEv2 with a pre-shared key: who has the keys of core/ipsec's SAs. Start here.
 *
 * RFC 7296, as much of it as a boot needs: IKE_SA_INIT with COOKIE and INVALID_KE_PAYLOAD, IKE_AUTH
 * by ID_FQDN or ID_RFC822_ADDR, CREATE_CHILD_SA that rekeys the child and the IKE SA, each with a
 * Diffie-Hellman of its own (RFC 7146 asks for it), also by both ends at once, INFORMATIONAL (a
 * sign of life, Delete), NAT traversal. AES-GCM (RFC 5282), PRF-HMAC-SHA-256, P-256 and X25519. One
 * machine has both ends, for tests and servers:
 *
 *   host                     lb_ike
 *   lb_ike_init
 *   loop: lb_ike_poll   -->  SEND (UDP payload) | UP terms | GONE spi | FAILED why | WAIT
 *         lb_ike_input  <--  each UDP payload that came from the peer and is not ESP
 *
 * Bytes on port 4500 begin with four zeros, where ESP has its SPI: the machine writes and expects
 * them. It needs good random numbers: who has none must not run it. */
#ifndef LB_IKE_H
#define LB_IKE_H

#include "core/base/error.h"
#include "core/base/trace.h"
#include "core/crypto/dh.h"
#include "core/ipsec/ipsec.h"

enum {
    LB_IKE_PORT = 500,
    LB_IKE_NAT_PORT = 4500,
    LB_IKE_MESSAGE_MAX = 1280, /* ours are under 400; no fragments (RFC 7383) */
    LB_IKE_PSK_MIN = 16,       /* bytes: who plays the peer may guess offline (RFC 7296 2.15) */
    LB_IKE_NONCE_BYTES = 32,
    LB_IKE_COOKIE_MAX = 64,
};

struct lb_ike_config {
    struct lb_bytes psk;      /* LB_IKE_PSK_MIN or more; the caller's memory */
    const char *id, *peer_id; /* NAME or USER@NAME; the caller's memory */
    bool is_responder;
    struct lb_addr local, remote; /* remote of a responder: none, until somebody asks */
    enum lb_ipsec_mode mode;
    struct lb_ipsec_selector selector; /* as we see it */
    /* What must be within the selectors that the peer agrees to, if it narrows them (RFC 7296 2.9);
     * family of need.local none: all of `selector`. */
    struct lb_ipsec_selector need;
    enum lb_dh_group group; /* tried first; 0: X25519 */
    /* Made beforehand for the first exchange, of `group`; taken and wiped. NULL or empty: it is
     * made when the exchange begins. */
    struct lb_dh *key_pair;
    bool
        asks_cookie; /* a responder has each initiator show that it gets our answers (RFC 7296 2.6);
                       * else only while another one is half there */
    bool is_second;  /* another association of these identities is in use: the peer must keep it */
    bool no_ports;   /* the host has port 4500 alone: all messages go there from the start */
    bool in_udp;     /* ESP is in UDP even where no NAT is on the way; the peer must know how */
    uint32_t rekey_s;     /* the child's keys are renewed after so long; 0: 3600 */
    uint32_t rekey_ike_s; /* and those of the IKE SA; 0: 14400 */
    uint32_t probe_s;     /* a sign of life is asked for after so long a silence; 0: 30 */
    uint32_t give_up_s;   /* FAILED after so long without an answer; 0: 30 */
};

enum lb_ike_event {
    LB_IKE_WAIT,
    LB_IKE_SEND,   /* `bytes`, from `from` to `to`; poll again */
    LB_IKE_UP,     /* `terms`: a pair of SAs to send by from now; an older pair still receives */
    LB_IKE_GONE,   /* the pair whose in_spi this is must not be used any more */
    LB_IKE_FAILED, /* the end: see error. All pairs must not be used any more */
};

struct lb_ike_action {
    enum lb_ike_event event;
    uint64_t until_us;
    struct lb_bytes bytes; /* valid until the next call of this machine */
    struct lb_endpoint from, to;
    const struct lb_ipsec_terms *terms; /* valid until the next call; holds keys */
    uint32_t spi;
};

enum lb_ike_state {
    LB_IKE_IDLE,         /* a responder that nobody has asked */
    LB_IKE_INIT_SENT,    /* IKE_SA_INIT asked */
    LB_IKE_INIT_DONE,    /* a responder has answered it */
    LB_IKE_AUTH_SENT,    /* IKE_AUTH asked */
    LB_IKE_READY,        /* nothing asked */
    LB_IKE_REKEYING,     /* CREATE_CHILD_SA asked */
    LB_IKE_DELETING,     /* the old child's Delete asked */
    LB_IKE_REKEYING_IKE, /* CREATE_CHILD_SA asked, for the IKE SA itself */
    LB_IKE_RETIRING,     /* the old IKE SA's Delete asked, in it */
    LB_IKE_PROBING,      /* an empty INFORMATIONAL asked */
    LB_IKE_CLOSING,      /* the IKE SA's Delete asked */
    LB_IKE_OVER,
};
const char *lb_ike_state_word(enum lb_ike_state state); /* "INIT-SENT", ...; a constant */

/* One direction of the IKE SA. */
struct lb_ike_way {
    struct lb_gcm gcm;
    uint8_t salt[4];
    uint64_t iv; /* counts up */
};

struct lb_ike_buffer {
    uint8_t bytes[4 + LB_IKE_MESSAGE_MAX]; /* with the zeros of port 4500 before it */
    size_t len;                            /* of the message */
};

/* An IKE SA: its names, its keys, and the numbers of its messages. */
struct lb_ike_sa {
    bool is_there;
    bool is_initiator; /* we asked for it */
    bool is_deleted;   /* and that was answered; it is there to answer again */
    uint8_t spi_i[8], spi_r[8];
    size_t key_bytes; /* of its cipher */
    uint8_t sk_d[32];
    struct lb_ike_way out, in;
    uint32_t out_id, in_id; /* of our last request; of the peer's next one */
    bool has_answer;
    struct lb_ike_buffer answer; /* the last one, in case that it is lost */
};

/* A child that is being made, or is there. */
struct lb_ike_child {
    uint32_t in_spi, out_spi;
    bool is_there;
};

/* What the peer asked for while we asked for the same: held until it is known whose goes on (RFC
 * 7296 2.8.1, 2.25). Holds keys. */
struct lb_ike_rival {
    bool is_there;
    uint8_t nonce[256]; /* the lower one of its two */
    size_t nonce_len;
    struct lb_ike_child child; /* not of the IKE SA's: that is lb_ike.spare */
    struct lb_ipsec_terms terms;
};

/* Holds keys: lb_ike_end wipes it. */
struct lb_ike {
    struct lb_ike_config config;
    struct lb_rand *rand;
    struct lb_trace *trace;
    enum lb_ike_state state;
    struct lb_error error;
    uint64_t ignored;
    const char *ignored_why; /* the last one; a constant */
    /* The rest is the machine's own. */
    unsigned due;              /* enum due in ike_state.h */
    bool is_initiator, in_udp; /* is_initiator: of the first IKE SA */
    struct lb_endpoint local, remote;
    struct lb_ike_sa sa, old; /* in use; replaced, until its Delete is answered and known to be */
    uint64_t old_us;          /* the old one is forgotten then */
    struct lb_ike_sa spare;   /* the rival's, or of two that were made at once the one not used */
    uint64_t spare_us;        /* that one is forgotten then */
    bool retires_spare;       /* RETIRING asks in it, and not in the old one */
    struct lb_ike_rival rival;
    uint8_t next_spi[8];                /* ours, of the IKE SA that we ask for */
    uint8_t nonce_i[256], nonce_r[256]; /* of IKE_SA_INIT */
    size_t nonce_i_len, nonce_r_len;
    struct lb_dh dh;
    unsigned group_tries;
    uint8_t cookie[LB_IKE_COOKIE_MAX]; /* the peer's, to send back */
    size_t cookie_len;
    unsigned cookie_tries;       /* anybody can forge one, and each is answered at once */
    uint8_t cookie_key[32];      /* of a responder's own cookies */
    struct lb_endpoint stranger; /* whom `refusal` is to, of whom nothing is kept */
    uint16_t stranger_port;      /* ours, that it asked at */
    uint8_t sk_pi[32], sk_pr[32];
    struct lb_ike_buffer init_i, init_r;   /* as AUTH signs them */
    struct lb_ike_buffer request, refusal; /* refusal: of an INIT, to a stranger */
    unsigned tries;
    uint64_t sent_us, deadline_us, give_up_us, heard_us, rekey_us, rekey_ike_us;
    uint8_t child_nonce[LB_IKE_NONCE_BYTES];
    struct lb_ike_child child, next; /* what is used; what is being made */
    struct lb_ike_child last;        /* what was replaced, until it is deleted */
    uint32_t asked_spi,
        deleted_spi;   /* REKEYING's, DELETING's own child; deleted_spi 0: never used */
    uint32_t gone_spi; /* to be told */
    struct lb_ipsec_selector agreed; /* `selector`, as the peer has narrowed it */
    struct lb_ipsec_terms terms;
};

/* rand and trace stay the caller's and outlive the machine; trace may be NULL. An initiator's first
 * message is due at once. A key that is too short, or an identity that cannot be one, ends it. */
void lb_ike_init(struct lb_ike *ike, uint64_t now_us, const struct lb_ike_config *config,
                 struct lb_rand *rand, struct lb_trace *trace);
/* After the machine was moved to another place, or another process: what its pointers lead to from
 * now on, each as in lb_ike_init. The pointers of a copy that is left behind are still the first
 * owner's; that copy must not be polled any more, for one counter must not be used twice. */
void lb_ike_adopt(struct lb_ike *ike, struct lb_bytes psk, const char *id, const char *peer_id,
                  struct lb_rand *rand, struct lb_trace *trace);
/* A UDP payload that came to `to` from `from`; it is decrypted in place. True when it was for us.
 * */
bool lb_ike_input(struct lb_ike *ike, uint64_t now_us, struct lb_endpoint from,
                  struct lb_endpoint to, struct lb_span payload);
/* Polling too early or too often is harmless. */
struct lb_ike_action lb_ike_poll(struct lb_ike *ike, uint64_t now_us);
/* Renews the child's keys as soon as nothing else is asked. */
void lb_ike_rekey(struct lb_ike *ike, uint64_t now_us);
/* The same for the IKE SA's keys (RFC 7296 1.3.2); the child stays. */
void lb_ike_rekey_ike(struct lb_ike *ike, uint64_t now_us);
/* Asks the peer for a sign of life as soon as nothing else is asked. */
void lb_ike_probe(struct lb_ike *ike, uint64_t now_us);
/* Tells the peer that it is over; FAILED (cancelled) when it has answered, or after give_up_s. */
void lb_ike_close(struct lb_ike *ike, uint64_t now_us);
/* Wipes all. */
void lb_ike_end(struct lb_ike *ike);

#endif
