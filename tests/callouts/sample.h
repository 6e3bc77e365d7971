/* What every sample and test driver needs and none is about: register callouts, add their filters in a dynamic
 * session, read a parameter, take it all down again. For how a driver of its own does this, read
 * src/drivers/passthrough.
 *
 * IRQL: PASSIVE_LEVEL. One set of callouts for each driver; SampleStop() undoes a partial SampleStart(). */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <ntddk.h>

#include <fwpsk.h>

#include <fwpmk.h>

#define SAMPLE_TAG 0x6c706d53u /* 'Smpl' in a dump */
#define SAMPLE_MAX_CALLOUTS 32u

typedef struct SAMPLE_CALLOUT_ {
  UINT16 LayerId;
  const GUID* LayerKey;
  FWPS_CALLOUT_CLASSIFY_FN1 Classify;
  FWP_ACTION_TYPE Action; /* of the filter: FWP_ACTION_CALLOUT_* */
  UINT8 Protocol;         /* the filter's only condition; 0: no condition */
  UINT32 Flags;           /* FWP_CALLOUT_FLAG_* */
  FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 FlowDelete;
  UINT32 CalloutId; /* run-time id, from SampleStart */
} SAMPLE_CALLOUT;

#define SAMPLE_ROW(layer, classify, action, protocol) \
  { FWPS_LAYER_##layer, &FWPM_LAYER_##layer, classify, action, protocol, 0, NULL, 0 }
/* Both families of a layer. */
#define SAMPLE_ROWS(layer, classify, action, protocol) \
  SAMPLE_ROW(layer##_V4, classify, action, protocol), SAMPLE_ROW(layer##_V6, classify, action, protocol)
/* The discard twins are named V4_DISCARD. */
#define SAMPLE_DISCARD_ROWS(layer, classify, action, protocol) \
  SAMPLE_ROW(layer##_V4_DISCARD, classify, action, protocol),  \
      SAMPLE_ROW(layer##_V6_DISCARD, classify, action, protocol)

/* Callouts stays the caller's and must outlive SampleStop(). Key tells drivers apart: the first part of their GUIDs.
 */
NTSTATUS SampleStart(PDRIVER_OBJECT DriverObject, UINT32 Key, SAMPLE_CALLOUT* Callouts, ULONG Count);
void SampleRemoveFilters(void); /* no new classify after it, but for those already running */
void SampleStop(void);
PDEVICE_OBJECT SampleDevice(void);

ULONG SampleNumber(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Default);
BOOLEAN SampleText(PUNICODE_STRING RegistryPath, PCWSTR Name, PCWSTR Expected); /* is the parameter this text? */

FORCEINLINE BOOLEAN SampleMayWrite(const FWPS_CLASSIFY_OUT0* Out) {
  return (BOOLEAN)((Out->rights & FWPS_RIGHT_ACTION_WRITE) != 0);
}
FORCEINLINE void SamplePermit(FWPS_CLASSIFY_OUT0* Out) {
  if (SampleMayWrite(Out)) Out->actionType = FWP_ACTION_PERMIT;
}
FORCEINLINE void SampleBlock(FWPS_CLASSIFY_OUT0* Out) {
  if (!SampleMayWrite(Out)) return;
  Out->actionType = FWP_ACTION_BLOCK;
  Out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
}
FORCEINLINE void SampleAbsorb(FWPS_CLASSIFY_OUT0* Out) {
  SampleBlock(Out);
  Out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
}

#endif
