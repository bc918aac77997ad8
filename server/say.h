/* What lunbootd tells a person: a line an event on standard output; errors on standard error. */
#ifndef LB_SERVER_SAY_H
#define LB_SERVER_SAY_H

#include "server/settings.h"

/* "12:04:31  192.0.2.100  what". The texts are fit for a terminal already. who: a machine, by its
 * address; empty: lunbootd itself. */
void lb_server_say(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "lunbootd: what", and "  try: hint". */
void lb_server_complain(const struct lb_server_error *error);

#endif
