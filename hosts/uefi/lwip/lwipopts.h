/* lwIP inside firmware: no operating system, one thread, TCP tuned for one fast connection. */
#ifndef LB_LWIPOPTS_H
#define LB_LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0

#define LWIP_IPV4   1
#define LWIP_IPV6   0
#define LWIP_ARP    1
#define LWIP_ICMP   1
#define LWIP_RAW    0
#define LWIP_UDP    1
#define LWIP_TCP    1
#define LWIP_DNS    1
#define LWIP_DHCP   0 /* core/dhcp4 is our client */
#define LWIP_AUTOIP 0
#define LWIP_ACD    0
#define LWIP_STATS  0

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
 * command is sent again after 300 ms, not after 1.5 s; a lost SYN after one second (RFC 6298 2.1).
 */
#define TCP_TMR_INTERVAL  50
#define LWIP_TCP_RTO_TIME 1000

#define LWIP_CHECKSUM_ON_COPY 0
#define LWIP_CHKSUM           net_checksum
unsigned short net_checksum(const void *data, int len);
#define LWIP_NETIF_TX_SINGLE_PBUF 1
#define LWIP_NO_CTYPE_H           1
#define LWIP_NO_UNISTD_H          1
#define LWIP_NO_INTTYPES_H        1
#define LWIP_RAND()               net_rand()
unsigned net_rand(void);

#endif
