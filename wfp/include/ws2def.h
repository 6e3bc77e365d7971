/* Address families, protocols, socket addresses and ancillary data headers, with their Windows values.
 *
 * These values differ from the host's (AF_INET6 is 23 here), so a source file uses either these headers or the
 * system's socket headers, never both. Ports and addresses in socket addresses are in network byte order. */
#ifndef WFPTAP_WS2DEF_H
#define WFPTAP_WS2DEF_H

#include <inaddr.h>

#if defined(_SYS_SOCKET_H) || defined(AF_INET6)
#error "Do not mix the system's <sys/socket.h> with Windows-named socket headers: AF_INET6 is 23 on Windows."
#endif

typedef USHORT ADDRESS_FAMILY;

#define AF_UNSPEC 0
#define AF_INET 2
#define AF_INET6 23

typedef enum {
  IPPROTO_HOPOPTS = 0,
  IPPROTO_ICMP = 1,
  IPPROTO_IGMP = 2,
  IPPROTO_IPV4 = 4,
  IPPROTO_TCP = 6,
  IPPROTO_UDP = 17,
  IPPROTO_IPV6 = 41,
  IPPROTO_ROUTING = 43,
  IPPROTO_FRAGMENT = 44,
  IPPROTO_ESP = 50,
  IPPROTO_AH = 51,
  IPPROTO_ICMPV6 = 58,
  IPPROTO_NONE = 59,
  IPPROTO_DSTOPTS = 60,
  IPPROTO_SCTP = 132,
  IPPROTO_RAW = 255,
  IPPROTO_MAX = 256
} IPPROTO,
    *PIPROTO;
#define IPPROTO_IP 0

#define INADDR_ANY ((ULONG)0x00000000)
#define INADDR_LOOPBACK ((ULONG)0x7f000001)
#define INADDR_BROADCAST ((ULONG)0xffffffff)
#define INADDR_NONE ((ULONG)0xffffffff)

typedef struct sockaddr {
  ADDRESS_FAMILY sa_family;
  CHAR sa_data[14];
} SOCKADDR, *PSOCKADDR, *LPSOCKADDR;

typedef struct sockaddr_in {
  ADDRESS_FAMILY sin_family;
  USHORT sin_port;
  IN_ADDR sin_addr;
  CHAR sin_zero[8];
} SOCKADDR_IN, *PSOCKADDR_IN;

/* 128 bytes, aligned for any address family. */
typedef struct sockaddr_storage {
  ADDRESS_FAMILY ss_family;
  CHAR __ss_pad1[6];
  INT64 __ss_align;
  CHAR __ss_pad2[112];
} SOCKADDR_STORAGE, *PSOCKADDR_STORAGE;

/* Scope of an IPv6 address: zone index in the low 28 bits, level in the high 4. */
typedef union _SCOPE_ID {
  struct {
    ULONG Zone : 28;
    ULONG Level : 4;
  } ZoneLevel;
  ULONG Value;
} SCOPE_ID, *PSCOPE_ID;

/* One item of ancillary data; its bytes follow the header. */
typedef struct _WSACMSGHDR {
  SIZE_T cmsg_len;
  INT cmsg_level;
  INT cmsg_type;
} WSACMSGHDR, *PWSACMSGHDR, CMSGHDR;

#define WSA_CMSGDATA_ALIGN(length) (((SIZE_T)(length) + sizeof(SIZE_T) - 1) & ~(sizeof(SIZE_T) - 1))
#define WSA_CMSG_DATA(header) ((UCHAR*)(header) + WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)))
#define WSA_CMSG_LEN(length) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)) + (SIZE_T)(length))
#define WSA_CMSG_SPACE(length) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)) + WSA_CMSGDATA_ALIGN(length))

#endif
