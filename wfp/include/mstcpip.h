/* Helpers over socket addresses whose family is only known at run time. */
#ifndef WFPTAP_MSTCPIP_H
#define WFPTAP_MSTCPIP_H

#include <ip2string.h>
#include <ws2ipdef.h>

static inline UCHAR* INETADDR_ADDRESS(const SOCKADDR* address) {
  return address->sa_family == AF_INET6 ? (UCHAR*)((const SOCKADDR_IN6*)(const void*)address)->sin6_addr.u.Byte
                                        : (UCHAR*)&((const SOCKADDR_IN*)(const void*)address)->sin_addr;
}

static inline SIZE_T INETADDR_LENGTH(const SOCKADDR* address) {
  return address->sa_family == AF_INET6 ? sizeof(IN6_ADDR) : sizeof(IN_ADDR);
}

static inline USHORT INETADDR_PORT(const SOCKADDR* address) {
  return ((const SOCKADDR_IN*)(const void*)address)->sin_port;
}

static inline void INETADDR_SET_PORT(SOCKADDR* address, USHORT port) {
  ((SOCKADDR_IN*)(void*)address)->sin_port = port;
}

static inline void INETADDR_SET_ADDRESS(SOCKADDR* address, const UCHAR* bytes) {
  memcpy(INETADDR_ADDRESS(address), bytes, INETADDR_LENGTH(address));
}

static inline BOOLEAN INETADDR_ISANY(const SOCKADDR* address) {
  static const UCHAR zero[sizeof(IN6_ADDR)] = {0};
  return memcmp(INETADDR_ADDRESS(address), zero, INETADDR_LENGTH(address)) == 0;
}

static inline BOOLEAN INETADDR_ISLOOPBACK(const SOCKADDR* address) {
  static const UCHAR loopback6[sizeof(IN6_ADDR)] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (address->sa_family != AF_INET6) return INETADDR_ADDRESS(address)[0] == 127;
  return memcmp(INETADDR_ADDRESS(address), loopback6, sizeof(loopback6)) == 0;
}

static inline void INETADDR_SETLOOPBACK(SOCKADDR* address) {
  memset(INETADDR_ADDRESS(address), 0, INETADDR_LENGTH(address));
  if (address->sa_family != AF_INET6) INETADDR_ADDRESS(address)[0] = 127;
  INETADDR_ADDRESS(address)[INETADDR_LENGTH(address) - 1] = 1;
}

#endif
