/* What the parts of the client share: nd6_client.c (the states), nd6_tables.c (what was advertised,
 * and until when). Not for others. */
#ifndef LB_ND6_CLIENT_H
#define LB_ND6_CLIENT_H

#include "core/nd6/nd6_wire.h"

/* A good advertisement of `from` changes the tables: RFC 4861 6.3.4, RFC 4862 5.5.3. */
void lb_nd6_tables_take(struct lb_nd6_client *client, uint64_t now_us, struct lb_addr from,
                        const struct lb_nd6_ra *ra);
/* Takes out what has run out. True: something has. */
bool lb_nd6_tables_expire(struct lb_nd6_client *client, uint64_t now_us);
/* When the first thing will run out. */
uint64_t lb_nd6_tables_until_us(const struct lb_nd6_client *client);
/* What of them a caller sees. */
void lb_nd6_tables_show(const struct lb_nd6_client *client, struct lb_nd6_info *info);
/* Whether they say the same, but for how long it holds. */
bool lb_nd6_info_is_same(const struct lb_nd6_info *a, const struct lb_nd6_info *b);

#endif
