/* IPsec in the kernel: its SAs and policies, for peers that must not be spoken to in clear.
 *
 *   lb_xfrm_open
 *   lb_xfrm_protect, for each pair of SAs that IKE agrees on; the newest sends
 *   lb_xfrm_drop, lb_xfrm_drop_all: pairs go, and the peer is guarded still
 *   lb_xfrm_split: a new owner for a peer
 *   lb_xfrm_restore: what another program took away of the guards is put back
 *   lb_xfrm_close: the guards go, too; all that spoke to the peers is closed by then
 *   lb_xfrm_rest: the same, but the port of a disk stays guarded
 *
 * Guards that were there before lb_xfrm_protect are somebody else's as well: lb_xfrm_close leaves
 * them. A policy that an IKE daemon has put in the place of one of ours is left, too.
 *
 * Whoever empties the kernel's policies takes the guards away. So while there are guards, packets
 * that no policy is for are blocked, and a last policy admits them: nothing goes at all until
 * lb_xfrm_restore. Before Linux 5.15 the kernel cannot do so, and a few packets may go in clear.
 *
 * A peer that is guarded gets and gives nothing in clear, from or to any address of ours, but what
 * finds neighbours on IPv6's links, and IKE (lb_xfrm_pass). The kernel goes on with it when the
 * process has ended. Functions that give an int give 0, or an errno. */
#ifndef LB_LINUX_XFRM_H
#define LB_LINUX_XFRM_H

#include "hosts/linux/xfrm_wire.h"

enum {
    LB_XFRM_PAIRS_MAX = 16, /* of all peers; core/boot/shield.h has 12 at most */
    LB_XFRM_GUARDS_MAX = 16,
};

struct lb_xfrm_guard {
    struct lb_addr local, remote;
    enum lb_ipsec_mode mode;
    bool was_there;   /* before us */
    bool is_anothers; /* and is, with its keys (lb_xfrm_share) */
};

struct lb_xfrm {
    int fd; /* -1: not open */
    uint32_t seq;
    struct lb_ipsec_terms pairs[LB_XFRM_PAIRS_MAX]; /* without keys; of a peer the newest is last */
    size_t pair_count;
    struct lb_xfrm_guard guards[LB_XFRM_GUARDS_MAX];
    size_t guard_count;
    bool denies;        /* packets that no policy is for are blocked */
    bool denied_before; /* and were before us */
};

/* Opens the netlink socket by which the kernel is told. */
int lb_xfrm_open(struct lb_xfrm *xfrm);
/* Opens it in another process, for what is known of peers (lb_xfrm_split). */
int lb_xfrm_reopen(struct lb_xfrm *xfrm);
/* Guards the peer, and gives the kernel the pair. Where that is refused the peer stays guarded:
 * EPROTONOSUPPORT, ENOSYS: the kernel has no ESP, or no AES-GCM. */
int lb_xfrm_protect(struct lb_xfrm *xfrm, const struct lb_ipsec_terms *terms);
/* Uses what another process guards and has keys for; all of it is left at the end. False: the
 * kernel does not let packets pass between the two by keys alone. */
bool lb_xfrm_share(struct lb_xfrm *xfrm, struct lb_addr local, struct lb_addr remote);
/* Takes the pair away whose in_spi this is; harmless where there is none. */
void lb_xfrm_drop(struct lb_xfrm *xfrm, uint32_t in_spi);
/* Takes all pairs of a peer away. */
void lb_xfrm_drop_all(struct lb_xfrm *xfrm, struct lb_addr remote);
/* Whether packets between these two are protected or do not go. */
bool lb_xfrm_is_guarded(const struct lb_xfrm *xfrm, struct lb_addr local, struct lb_addr remote);
/* Moves what is known of a peer from one to another; the kernel is asked for nothing. */
void lb_xfrm_split(struct lb_xfrm *from, struct lb_addr remote, struct lb_xfrm *to);
/* How many packets went out by the peer's newest pair; 0 also where nobody knows. */
uint64_t lb_xfrm_packets(struct lb_xfrm *xfrm, struct lb_addr remote);
/* Whether the kernel still has both SAs of the peer's newest pair; true where there is none. */
bool lb_xfrm_has_keys(struct lb_xfrm *xfrm, struct lb_addr remote);
/* Puts back what is missing of the guards. True: something was. has_daemon: an IKE daemon has a
 * policy of its own for what is to be protected; only what blocks is put back. */
bool lb_xfrm_restore(struct lb_xfrm *xfrm, bool has_daemon);
/* Takes all pairs and guards away. Harmless where it is not open. */
void lb_xfrm_close(struct lb_xfrm *xfrm);
/* As lb_xfrm_close, also for guards that were there before; but what TCP says in clear to this port
 * of the peers, and what comes from there, is blocked as long as the kernel runs, or until somebody
 * takes these two policies of each away. */
void lb_xfrm_rest(struct lb_xfrm *xfrm, uint16_t port);

/* Blocks clear packets to the peer and from it, where no policy blocks them: another program has
 * removed the guards, and lunboot-ike does not run. Policies that protect have precedence, as
 * before. EPERM: the caller may not. */
int lb_xfrm_block(struct lb_addr remote);

/* Has the kernel report what is taken away (lb_xfrm_taken). -1: errno. */
int lb_xfrm_watch(void);
/* All reports so far of lb_xfrm_watch's socket. Reports that were lost count as both. */
struct lb_xfrm_taken lb_xfrm_taken(int fd);

/* Lets a socket's own packets pass in clear: IKE's. */
int lb_xfrm_pass(int fd, enum lb_family family);
/* Has the kernel take ESP out of what comes to a UDP socket (RFC 3948), as long as it is open. */
int lb_xfrm_decapsulate(int fd);

#endif
