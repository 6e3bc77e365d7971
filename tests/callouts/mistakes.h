/* What the two halves of the driver of mistakes share: which mistake was chosen, and where it is made. */
#ifndef MISTAKES_H
#define MISTAKES_H

#include "sample.h"

typedef FWPS_INCOMING_METADATA_VALUES0 METADATA;

typedef struct MISTAKE_ {
  PCWSTR Name;
  UINT16 Layer;   /* where a packet is to meet it */
  BOOLEAN Always; /* with every packet, not with the first alone */
  void (*Act)(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out);
} MISTAKE;

extern SAMPLE_CALLOUT MistakeCallouts[3];

NTSTATUS MistakesChoose(PUNICODE_STRING RegistryPath);
void MistakesEnd(void);
void NTAPI MistakeClassify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out);

#endif
