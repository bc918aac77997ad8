/* Who speaks IKE on this machine: lunboot while it boots or reads, and lunboot-ike. Each has a name
 * for each of its peers, which others find, so that two of them do no harm to each other: a peer
 * that hears INITIAL_CONTACT ends the keys of the other one, and it sends by the newest keys alone.
 *
 * A name is a socket in the abstract namespace of AF_UNIX. It is of one network namespace, as the
 * kernel's SAs are, and ends with the last process that has it, however that ends. Nothing is ever
 * said through it. */
#ifndef LB_LINUX_IKE_NAMES_H
#define LB_LINUX_IKE_NAMES_H

#include "core/base/addr.h"
#include "core/base/bytes.h"
#include <stdbool.h>

enum {
    LB_IKE_NAME_MAX = 108, /* bytes, with the zero; as sun_path has it */
};

struct lb_ike_name {
    struct lb_addr local, remote;
    bool in_kernel; /* the kernel has its SAs */
    uint32_t ids;   /* both identities, as one number (lb_ike_names_ids) */
};

/* What the others on this machine are to one that is to begin. */
enum lb_ike_others {
    LB_IKE_OTHERS_NONE,
    LB_IKE_OTHERS_ELSEWHERE, /* none has these two ends, but somebody speaks IKE */
    LB_IKE_OTHERS_SAME_IDS,  /* the same, and one has the same identities */
    LB_IKE_OTHERS_KERNEL,    /* somebody has these two ends, with these identities, in the kernel */
    LB_IKE_OTHERS_STRANGE,   /* somebody has these two ends, with other identities */
    LB_IKE_OTHERS_USER,      /* somebody has these two ends, in its own memory */
};

/* A number for the pair; NULL is as "". Not a secret, and no proof. */
uint32_t lb_ike_names_ids(const char *id, const char *peer_id);
/* Takes the name: a descriptor that has it until it is closed. -1: errno; EADDRINUSE: somebody has
 * it. */
int lb_ike_names_take(const struct lb_ike_name *name);
/* Opens the list of names, of this network namespace. -1: errno. */
int lb_ike_names_open(void);
/* Reads the list anew, for one who does not yet have this name. A name of another user counts as no
 * one's. Its descriptor -1: NONE. */
enum lb_ike_others lb_ike_names_look(int list_fd, const struct lb_ike_name *name);
/* The same for one who has this name: NONE, ELSEWHERE or SAME_IDS. */
enum lb_ike_others lb_ike_names_beside(int list_fd, const struct lb_ike_name *name);
/* Whether anybody's SAs are in the kernel. */
bool lb_ike_names_in_kernel(void);

/* The name in a line of /proc/net/unix; false: it has none. text: its socket's, without the '@'. */
bool lb_ike_names_read(struct lb_bytes line, struct lb_ike_name *name, char text[LB_IKE_NAME_MAX]);

#endif
