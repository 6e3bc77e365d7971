/* IPv6 socket addresses, the family-neutral SOCKADDR_INET, and the socket options that appear in control data. */
#ifndef WFPTAP_WS2IPDEF_H
#define WFPTAP_WS2IPDEF_H

#include <in6addr.h>
#include <string.h>
#include <ws2def.h>

typedef struct sockaddr_in6 {
  ADDRESS_FAMILY sin6_family;
  USHORT sin6_port;
  ULONG sin6_flowinfo;
  IN6_ADDR sin6_addr;
  union {
    ULONG sin6_scope_id;
    SCOPE_ID sin6_scope_struct;
  };
} SOCKADDR_IN6, *PSOCKADDR_IN6;

typedef union _SOCKADDR_INET {
  SOCKADDR_IN Ipv4;
  SOCKADDR_IN6 Ipv6;
  ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

/* Option names at levels IPPROTO_IP and IPPROTO_IPV6. */
#define IP_TOS 3
#define IP_TTL 4
#define IP_DONTFRAGMENT 14
#define IP_PKTINFO 19
#define IP_HOPLIMIT 21
#define IPV6_HOPLIMIT 21
#define IPV6_UNICAST_HOPS 4
#define IPV6_PKTINFO 19

typedef struct in_pktinfo {
  IN_ADDR ipi_addr;
  ULONG ipi_ifindex;
} IN_PKTINFO, *PIN_PKTINFO;

typedef struct in6_pktinfo {
  IN6_ADDR ipi6_addr;
  ULONG ipi6_ifindex;
} IN6_PKTINFO, *PIN6_PKTINFO;

#endif
