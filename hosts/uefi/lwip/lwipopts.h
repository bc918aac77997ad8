/* lwIP inside firmware: no operating system, one thread, TCP tuned for one fast connection. */
#ifndef LB_LWIPOPTS_H
#define LB_LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0

#define LWIP_SINGLE_NETIF 1

#define LWIP_IPV4   1
#define LWIP_IPV6   1
#define LWIP_ARP    1
#define LWIP_ICMP   1
#define LWIP_RAW    0
#define LWIP_UDP    1
#define LWIP_TCP    1
#define LWIP_DNS    0
#define LWIP_DHCP   0 /* core/dhcp4 is our client */
#define LWIP_AUTOIP 0
#define LWIP_ACD    0
#define LWIP_STATS  0

/* Router discovery, addresses and duplicate address detection are the engine's and net_address.c's;
 * neighbours are lwIP's. guard.c looks at what comes in. */
#define LWIP_IPV6_AUTOCONFIG          0
#define LWIP_IPV6_ADDRESS_LIFETIMES   1
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_IPV6_REASS               0
#define LWIP_IPV6_MLD                 1
#define LWIP_IPV6_NUM_ADDRESSES       9 /* LB_ADDRS6_MAX, and the link-local one */
#define LWIP_ND6_ALLOW_RA_UPDATES     0
#define LWIP_ND6_QUEUEING             1
#define LWIP_ND6_NUM_ROUTERS          0 /* adverts do not reach it: guard.c */
#define LWIP_ND6_NUM_PREFIXES         0
#define LWIP_ND6_NUM_NEIGHBORS        16
#define LWIP_ND6_NUM_DESTINATIONS     16
#define LWIP_HOOK_ND6_GET_GW          net_next_hop
/* Of IPv4 the next hop was chosen before ARP is asked: net_address_output. */
#define LWIP_HOOK_ETHARP_GET_GW(netif, hop) (hop)
struct netif;
struct ip6_addr;
/* lwIP asks by which router `to` is reached, by the engine's routes; NULL: there is no way. Valid
 * until the next call. */
const struct ip6_addr *net_next_hop(struct netif *netif, const struct ip6_addr *to);

/* Two questions of DNS go out at once, before the server's link-layer address is known. */
#define ARP_QUEUEING       1
#define MEMP_NUM_ARP_QUEUE 8
#define MEMP_NUM_ND6_QUEUE 8

#define IP_FRAG 0 /* what we send fits; over IPv6 a router may say that it does not */

/* DHCP's answers come before there is an address. */
#define LWIP_IP_ACCEPT_UDP_PORT(port) ((port) == PP_NTOHS(68))
#define IP_SOF_BROADCAST              1

#define MEM_ALIGNMENT 8
/* The send queue and pbufs; the memory is the firmware's. */
#define MEM_SIZE              (4 * 1024 * 1024)
#define MEMP_MEM_MALLOC       1
#define MEM_OVERFLOW_CHECK    0
#define LWIP_RAM_HEAP_POINTER lwip_heap
extern unsigned char *lwip_heap;

#define PBUF_POOL_SIZE           0 /* frames come in custom pbufs: net_lwip.c */
#define LWIP_SUPPORT_CUSTOM_PBUF 1

#define TCP_MSS        1460
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE  7
#define TCP_WND        (4 * 1024 * 1024) /* 80 MB/s at 50 ms */
/* Updates go out with the acknowledgement of a batch of frames: net_flush in net_lwip.c. */
#define TCP_WND_UPDATE_THRESHOLD (64 * 1024)
#define TCP_SND_BUF              (256 * 1024)
#define TCP_SND_QUEUELEN         1024
#define TCP_SNDLOWAT             (0xffff - 4 * TCP_MSS - 1)
#define TCP_SNDQUEUELOWAT        512
#define TCP_QUEUE_OOSEQ          1
#define TCP_OOSEQ_MAX_PBUFS      3072
#define LWIP_TCP_SACK_OUT        1
#define LWIP_TCP_MAX_SACK_NUM    4
#define TCP_OVERSIZE             TCP_MSS
#define LWIP_TCP_KEEPALIVE       0
/* The retransmission timer counts in ticks of twice this and is never below three of them: a lost
 * command is sent again after 300 ms, not after 1.5 s; a lost SYN after one second (RFC 6298
 * 2.1). */
#define TCP_TMR_INTERVAL  50
#define LWIP_TCP_RTO_TIME 1000

#define LWIP_CHECKSUM_ON_COPY 0
#define LWIP_CHKSUM           net_checksum
/* RFC 1071: the sum over the bytes, folded and not inverted. */
unsigned short net_checksum(const void *data, int len);
#define LWIP_NETIF_TX_SINGLE_PBUF 1
#define LWIP_NO_CTYPE_H           1
#define LWIP_NO_UNISTD_H          1
#define LWIP_NO_INTTYPES_H        1
#define LWIP_RAND()               net_rand()
unsigned net_rand(void); /* 32 random bits, for whatever lwIP does by chance */
#define LWIP_HOOK_TCP_ISN net_isn
struct ip_addr;
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, len, first, second, p)                             \
    net_ipsec_segment(ip_current_src_addr(), (header)->src)
/* Whether a segment from there may be taken: 0. It must not have come in clear where IPsec protects
 * that port. */
signed char net_ipsec_segment(const struct ip_addr *from, unsigned short port);
/* The initial sequence number of a connection: numbers.h. Ports are chosen where a socket is opened
 * (net_stream.c, net_datagram.c). */
unsigned net_isn(const struct ip_addr *local, unsigned short local_port,
                 const struct ip_addr *remote, unsigned short remote_port);

#endif
