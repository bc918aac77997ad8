/* What people see: sizes, disks, offers, partitions, reports; as text and as JSON. */
#ifndef LB_LINUX_SHOW_H
#define LB_LINUX_SHOW_H

#include "core/loader/loader.h"
#include "hosts/linux/run.h"

/* The whole waterfall and the facts on standard output; in colour on a terminal (unless NO_COLOR is
 * set). */
void lb_show_report(struct lb_run *run);
/* The disk in some lines. */
void lb_show_disk(const struct lb_run *run);
/* Of DHCP servers of both families, and what the IPv6 routers say. */
void lb_show_offers(const struct lb_run *run);
/* The targets that SendTargets listed, with their portals. */
void lb_show_targets(const struct lb_run *run);
void lb_show_partitions(
    const struct lb_loader *loader); /* the partition table and its partitions */

/* The same as members of a JSON object. */
void lb_json_disk(struct lb_text *text, const struct lb_run *run);
/* An array of DHCP offers; empty: none. */
void lb_json_offers(struct lb_text *text, const struct lb_run *run);
/* An array of DHCPv6 offers. */
void lb_json_offers6(struct lb_text *text, const struct lb_run *run);
void lb_json_routers6(struct lb_text *text, const struct lb_run *run); /* an object, or null */
/* An array with a portal of a target each. */
void lb_json_targets(struct lb_text *text, const struct lb_run *run);
void lb_json_partitions(struct lb_text *text,
                        const struct lb_loader *loader); /* in the order of the table */
/* A NUL-terminated string as lb_text_json writes it. */
void lb_json_string(struct lb_text *text, const char *string);

#endif
