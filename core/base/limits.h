/* Every bound of an array or a loop that the wire can reach, with its reason. */
#ifndef LB_BASE_LIMITS_H
#define LB_BASE_LIMITS_H

#define LB_NAME_MAX 223 /* iSCSI name, bytes without NUL: RFC 7143 4.2.7.1 */
#define LB_HOST_MAX 255 /* DNS name: RFC 1035 2.3.4 */
#define LB_ROOTPATH_MAX                                                                            \
    1024 /* a good one is under 520 bytes; the rest is for telling of bad ones */
#define LB_SECRET_MAX      128 /* bytes of a CHAP secret: ten times the 96 bits of RFC 7143 9.2.1 */
#define LB_CHAP_BINARY_MAX 1024 /* CHAP_C and CHAP_R, decoded: RFC 7143 12.1.3 */
#define LB_CHAP_ALGS_MAX   4    /* CHAP_A: as many numbers as stand for a hash, each at most once */
#define LB_CHAP_NAME_MAX   255  /* CHAP_N: RFC 7143 6.1, a text value's usual limit */

#define LB_DNS_MAX     4  /* resolvers kept from an answer; no resolver asks more than three */
#define LB_ROUTERS_MAX 4  /* default routers kept from option 3; only the first is used */
#define LB_ROUTES_MAX  16 /* classless static routes kept; a boot needs one or two */
#define LB_ADDRS6_MAX  8  /* IPv6 addresses of the interface: a prefix or two, and DHCPv6's */
#define LB_DOMAIN_MAX  255
#define LB_SEARCH_MAX  512 /* DNS search list as text */

#define LB_ALLOW_MAX   16 /* entries of an allow list; more belong into a DHCP server */
#define LB_PORTALS_MAX 16 /* addresses tried of one target */
#define LB_CANDIDATES_MAX                                                                          \
    64 /* disks that discovery found, the best ones; a machine boots one and has a few portals */

#endif
