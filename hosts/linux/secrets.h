/* Keeping secrets from who looks at the process: no core dump, no tracing by others, nothing of
 * them in its environment. */
#ifndef LB_LINUX_SECRETS_H
#define LB_LINUX_SECRETS_H

#include "core/base/text.h"

/* At the start of a program that reads secrets, and in each process that it becomes: no core dump
 * is written, other users cannot look into /proc/PID, and what the kernel put of its command line
 * into init's environment (iscsi_password=, netroot=iscsi:USER:SECRET@...) is overwritten and taken
 * out. */
void lb_secrets_guard(void);
/* This memory is not for core dumps, whoever makes them. */
void lb_secrets_guard_memory(void *p, size_t len);
/* Before another program takes this one's place: it may have core dumps as before. */
void lb_secrets_release(void);
/* Whether a variable of the environment, by its name and value, may hold a secret. */
bool lb_secrets_is_one(struct lb_bytes name, struct lb_bytes value);

#endif
