/* Long work beside the loop, one at a time: a version of an image is made, from a file or from a
 * machine's overlay. The loop learns of its end by an event. */
#ifndef LB_SERVER_JOB_H
#define LB_SERVER_JOB_H

#include "server/copy.h"
#include "server/images.h"
#include "server/source.h"
#include <pthread.h>

struct lb_server_machine;

struct lb_server_job {
    struct lb_server_source source;    /* readable: the work is over; -1: there is none */
    const char *state;                 /* the folder; outlives it */
    struct lb_image image;             /* that is made */
    int from;                          /* the disk it is made of; closed at the end */
    uint64_t bytes, work_bytes;        /* of the disk; that are to be copied */
    struct lb_overlay *overlay;        /* a commit: what lies over `from`; NULL: none */
    struct lb_server_machine *machine; /* the loop's: of a commit, or NULL */
    uint64_t client;                   /* the loop's: who waits for it; 0: nobody */
    bool is_json;                      /* the loop's: how they are told */
    struct lb_copy_progress progress;
    pthread_t thread;
    int error; /* once it is over: 0, or an errno */
};

/* Begins; from, bytes, image, overlay, machine and client are set. from is the job's even where
 * this fails. */
bool lb_server_job_begin(struct lb_server_job *job, int epoll, struct lb_server_error *error);
/* After the event: joins the thread. job->error says how it went; with 0 the version is there. The
 * job is free again. */
void lb_server_job_end(struct lb_server_job *job);
/* Stops it, and waits; nothing is left. Harmless where there is none. */
void lb_server_job_cancel(struct lb_server_job *job);

#endif
