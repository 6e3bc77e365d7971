/* Templates that narrow an enumeration of management objects; a NULL template lists all. */
#ifndef WFPTAP_FWPM_ENUMERATION_H
#define WFPTAP_FWPM_ENUMERATION_H

#include <fwpm/objects.h>

typedef enum FWP_FILTER_ENUM_TYPE_ {
  FWP_FILTER_ENUM_FULLY_CONTAINED = 0,
  FWP_FILTER_ENUM_OVERLAPPING = 1,
  FWP_FILTER_ENUM_TYPE_MAX = 2
} FWP_FILTER_ENUM_TYPE;

typedef struct FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0_ {
  GUID* providerKey;
  FWPM_PROVIDER_CONTEXT_TYPE providerContextType;
} FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0;

typedef struct FWPM_FILTER_ENUM_TEMPLATE0_ {
  GUID* providerKey;
  GUID layerKey;
  FWP_FILTER_ENUM_TYPE enumType;
  UINT32 flags;
  FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0* providerContextTemplate;
  UINT32 numFilterConditions;
  FWPM_FILTER_CONDITION0* filterCondition;
  UINT32 actionMask;
  GUID* calloutKey;
} FWPM_FILTER_ENUM_TEMPLATE0;

typedef struct FWPM_CALLOUT_ENUM_TEMPLATE0_ {
  GUID* providerKey;
  GUID layerKey;
} FWPM_CALLOUT_ENUM_TEMPLATE0;

typedef struct FWPM_SUBLAYER_ENUM_TEMPLATE0_ {
  GUID* providerKey;
} FWPM_SUBLAYER_ENUM_TEMPLATE0;

typedef struct FWPM_LAYER_ENUM_TEMPLATE0_ {
  UINT64 reserved;
} FWPM_LAYER_ENUM_TEMPLATE0;

#endif
