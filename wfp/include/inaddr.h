/* IPv4 address, in network byte order. */
#ifndef WFPTAP_INADDR_H
#define WFPTAP_INADDR_H

#include <nt/types.h>

#ifdef _NETINET_IN_H
#error "Do not mix the system's <netinet/in.h> with Windows-named socket headers: in_addr differs."
#endif

typedef struct in_addr {
  union {
    struct {
      UCHAR s_b1, s_b2, s_b3, s_b4;
    } S_un_b;
    struct {
      USHORT s_w1, s_w2;
    } S_un_w;
    ULONG S_addr;
  } S_un;
} IN_ADDR, *PIN_ADDR, *LPIN_ADDR;

#define s_addr S_un.S_addr

#endif
