/* Text to address. `Strict` refuses the old short IPv4 forms. `Terminator` receives where parsing stopped. */
#ifndef WFPTAP_IP2STRING_H
#define WFPTAP_IP2STRING_H

#include <in6addr.h>
#include <inaddr.h>

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS NTAPI RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, PCWSTR* Terminator, IN_ADDR* Addr);
NTSTATUS NTAPI RtlIpv6StringToAddressW(PCWSTR S, PCWSTR* Terminator, IN6_ADDR* Addr);

#ifdef __cplusplus
}
#endif

#endif
