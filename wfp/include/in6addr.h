/* IPv6 address, as bytes or as 16-bit words, in network byte order. */
#ifndef WFPTAP_IN6ADDR_H
#define WFPTAP_IN6ADDR_H

#include <nt/types.h>

#ifdef _NETINET_IN_H
#error "Do not mix the system's <netinet/in.h> with Windows-named socket headers: AF_INET6 and in6_addr differ."
#endif

typedef struct in6_addr {
  union {
    UCHAR Byte[16];
    USHORT Word[8];
  } u;
} IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;

#define s6_addr u.Byte
#define s6_bytes u.Byte
#define s6_words u.Word

#endif
