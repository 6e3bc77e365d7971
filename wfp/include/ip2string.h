/* IP addresses as text and back. Addresses are in network order. Compiles as C11 and as C++20; any IRQL.
 *
 * From text: `Terminator` receives where parsing stopped, which need not be the end. `Strict` admits only four decimal
 * parts; without it, the old forms of one to three parts and octal (0) and hexadecimal (0x) parts too. To text: `S` has
 * room for 16 (IPv4) or 46 (IPv6) characters; the result points to the terminator. */
#ifndef WFPTAP_IP2STRING_H
#define WFPTAP_IP2STRING_H

#include <in6addr.h>
#include <inaddr.h>

#ifdef __cplusplus
extern "C" {
#endif

PSTR NTAPI RtlIpv4AddressToStringA(const IN_ADDR* Addr, PSTR S);
PWSTR NTAPI RtlIpv4AddressToStringW(const IN_ADDR* Addr, PWSTR S);
PSTR NTAPI RtlIpv6AddressToStringA(const IN6_ADDR* Addr, PSTR S);
PWSTR NTAPI RtlIpv6AddressToStringW(const IN6_ADDR* Addr, PWSTR S);
NTSTATUS NTAPI RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR* Terminator, IN_ADDR* Addr);
NTSTATUS NTAPI RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, PCWSTR* Terminator, IN_ADDR* Addr);
NTSTATUS NTAPI RtlIpv6StringToAddressA(PCSTR S, PCSTR* Terminator, IN6_ADDR* Addr);
NTSTATUS NTAPI RtlIpv6StringToAddressW(PCWSTR S, PCWSTR* Terminator, IN6_ADDR* Addr);

#ifdef __cplusplus
}
#endif

#endif
