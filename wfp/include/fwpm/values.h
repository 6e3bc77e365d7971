/* Values and conditions: FWP_VALUE0, what conditions compare with, and the small types inside them.
 *
 * Addresses and ports in values are in host byte order. A pointer member belongs to whoever made the value; functions
 * that take a value copy what it points to. Offsets are pinned by tests/boundary/abi_layout. */
#ifndef WFPTAP_FWPM_VALUES_H
#define WFPTAP_FWPM_VALUES_H

#include <guiddef.h>

typedef enum FWP_DIRECTION_ {
  FWP_DIRECTION_OUTBOUND = 0,
  FWP_DIRECTION_INBOUND = 1,
  FWP_DIRECTION_MAX = 2
} FWP_DIRECTION;

typedef enum FWP_IP_VERSION_ {
  FWP_IP_VERSION_V4 = 0,
  FWP_IP_VERSION_V6 = 1,
  FWP_IP_VERSION_NONE = 2,
  FWP_IP_VERSION_MAX = 3
} FWP_IP_VERSION;

typedef enum FWP_ETHER_ENCAP_METHOD_ {
  FWP_ETHER_ENCAP_METHOD_ETHER_V2 = 0,
  FWP_ETHER_ENCAP_METHOD_SNAP = 1,
  FWP_ETHER_ENCAP_METHOD_SNAP_W_OUI_ZERO = 3
} FWP_ETHER_ENCAP_METHOD;

typedef enum FWP_DATA_TYPE_ {
  FWP_EMPTY = 0,
  FWP_UINT8 = 1,
  FWP_UINT16 = 2,
  FWP_UINT32 = 3,
  FWP_UINT64 = 4,
  FWP_INT8 = 5,
  FWP_INT16 = 6,
  FWP_INT32 = 7,
  FWP_INT64 = 8,
  FWP_FLOAT = 9,
  FWP_DOUBLE = 10,
  FWP_BYTE_ARRAY16_TYPE = 11,
  FWP_BYTE_BLOB_TYPE = 12,
  FWP_SID = 13,
  FWP_SECURITY_DESCRIPTOR_TYPE = 14,
  FWP_TOKEN_INFORMATION_TYPE = 15,
  FWP_TOKEN_ACCESS_INFORMATION_TYPE = 16,
  FWP_UNICODE_STRING_TYPE = 17,
  FWP_BYTE_ARRAY6_TYPE = 18,
  FWP_BITMAP_INDEX_TYPE = 19,
  FWP_BITMAP_ARRAY64_TYPE = 20,
  FWP_SINGLE_DATA_TYPE_MAX = 255,
  /* The types from here on appear in conditions only. */
  FWP_V4_ADDR_MASK = 256,
  FWP_V6_ADDR_MASK = 257,
  FWP_RANGE_TYPE = 258,
  FWP_DATA_TYPE_MAX = 259
} FWP_DATA_TYPE;

/* FWP_MATCH_PREFIX is documented with a misleading name: it tests the end of a string. */
typedef enum FWP_MATCH_TYPE_ {
  FWP_MATCH_EQUAL = 0,
  FWP_MATCH_GREATER = 1,
  FWP_MATCH_LESS = 2,
  FWP_MATCH_GREATER_OR_EQUAL = 3,
  FWP_MATCH_LESS_OR_EQUAL = 4,
  FWP_MATCH_RANGE = 5,
  FWP_MATCH_FLAGS_ALL_SET = 6,
  FWP_MATCH_FLAGS_ANY_SET = 7,
  FWP_MATCH_FLAGS_NONE_SET = 8,
  FWP_MATCH_EQUAL_CASE_INSENSITIVE = 9,
  FWP_MATCH_NOT_EQUAL = 10,
  FWP_MATCH_PREFIX = 11,
  FWP_MATCH_NOT_PREFIX = 12,
  FWP_MATCH_TYPE_MAX = 13
} FWP_MATCH_TYPE;

typedef enum FWP_CLASSIFY_OPTION_TYPE_ {
  FWP_CLASSIFY_OPTION_MULTICAST_STATE = 0,
  FWP_CLASSIFY_OPTION_LOOSE_SOURCE_MAPPING = 1,
  FWP_CLASSIFY_OPTION_UNICAST_LIFETIME = 2,
  FWP_CLASSIFY_OPTION_MCAST_BCAST_LIFETIME = 3,
  FWP_CLASSIFY_OPTION_SECURE_SOCKET_SECURITY_FLAGS = 4,
  FWP_CLASSIFY_OPTION_SECURE_SOCKET_AUTHIP_MM_POLICY_KEY = 5,
  FWP_CLASSIFY_OPTION_SECURE_SOCKET_AUTHIP_QM_POLICY_KEY = 6,
  FWP_CLASSIFY_OPTION_LOCAL_ONLY_MAPPING = 7,
  FWP_CLASSIFY_OPTION_MAX = 8
} FWP_CLASSIFY_OPTION_TYPE;

#define FWP_OPTION_VALUE_ALLOW_MULTICAST_STATE 0x00000000
#define FWP_OPTION_VALUE_DENY_MULTICAST_STATE 0x00000001
#define FWP_OPTION_VALUE_ALLOW_GLOBAL_MULTICAST_STATE 0x00000002
#define FWP_OPTION_VALUE_DISABLE_LOOSE_SOURCE 0x00000000
#define FWP_OPTION_VALUE_ENABLE_LOOSE_SOURCE 0x00000001
#define FWP_OPTION_VALUE_DISABLE_LOCAL_ONLY_MAPPING 0x00000000
#define FWP_OPTION_VALUE_ENABLE_LOCAL_ONLY_MAPPING 0x00000001

typedef struct FWP_BYTE_ARRAY6_ {
  UINT8 byteArray6[6];
} FWP_BYTE_ARRAY6;

typedef struct FWP_BYTE_ARRAY16_ {
  UINT8 byteArray16[16];
} FWP_BYTE_ARRAY16;

typedef struct FWP_BITMAP_ARRAY64_ {
  UINT8 bitmapArray64[8];
} FWP_BITMAP_ARRAY64;

typedef struct FWP_BYTE_BLOB_ {
  UINT32 size; /* bytes */
  UINT8* data;
} FWP_BYTE_BLOB;

/* Security identities are carried, never interpreted, at this level. */
typedef struct _SID SID;
typedef struct _TOKEN_ACCESS_INFORMATION TOKEN_ACCESS_INFORMATION;
typedef struct FWP_TOKEN_INFORMATION_ FWP_TOKEN_INFORMATION;

typedef struct FWP_VALUE0_ {
  FWP_DATA_TYPE type;
  union {
    UINT8 uint8;
    UINT16 uint16;
    UINT32 uint32;
    UINT64* uint64;
    INT8 int8;
    INT16 int16;
    INT32 int32;
    INT64* int64;
    float float32;
    double* double64;
    FWP_BYTE_ARRAY16* byteArray16;
    FWP_BYTE_BLOB* byteBlob;
    SID* sid;
    FWP_BYTE_BLOB* sd;
    FWP_TOKEN_INFORMATION* tokenInformation;
    FWP_BYTE_BLOB* tokenAccessInformation;
    PWSTR unicodeString;
    FWP_BYTE_ARRAY6* byteArray6;
    FWP_BITMAP_ARRAY64* bitmapArray64;
  };
} FWP_VALUE0;

typedef struct FWP_V4_ADDR_AND_MASK_ {
  UINT32 addr;
  UINT32 mask;
} FWP_V4_ADDR_AND_MASK;

#define FWP_V6_ADDR_SIZE 16
typedef struct FWP_V6_ADDR_AND_MASK_ {
  UINT8 addr[FWP_V6_ADDR_SIZE];
  UINT8 prefixLength; /* bits */
} FWP_V6_ADDR_AND_MASK;

/* Both ends belong to the range. */
typedef struct FWP_RANGE0_ {
  FWP_VALUE0 valueLow;
  FWP_VALUE0 valueHigh;
} FWP_RANGE0;

typedef struct FWP_CONDITION_VALUE0_ {
  FWP_DATA_TYPE type;
  union {
    UINT8 uint8;
    UINT16 uint16;
    UINT32 uint32;
    UINT64* uint64;
    INT8 int8;
    INT16 int16;
    INT32 int32;
    INT64* int64;
    float float32;
    double* double64;
    FWP_BYTE_ARRAY16* byteArray16;
    FWP_BYTE_BLOB* byteBlob;
    SID* sid;
    FWP_BYTE_BLOB* sd;
    FWP_TOKEN_INFORMATION* tokenInformation;
    FWP_BYTE_BLOB* tokenAccessInformation;
    PWSTR unicodeString;
    FWP_BYTE_ARRAY6* byteArray6;
    FWP_BITMAP_ARRAY64* bitmapArray64;
    FWP_V4_ADDR_AND_MASK* v4AddrMask;
    FWP_V6_ADDR_AND_MASK* v6AddrMask;
    FWP_RANGE0* rangeValue;
  };
} FWP_CONDITION_VALUE0;

#define FWP_VALUE FWP_VALUE0
#define FWP_RANGE FWP_RANGE0
#define FWP_CONDITION_VALUE FWP_CONDITION_VALUE0

#endif
