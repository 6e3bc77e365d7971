/* System threads, handles and object references. Compiles as C11 and as C++20.
 *
 * PsCreateSystemThread gives a handle that the driver closes with ZwClose; ObReferenceObjectByHandle turns it into an
 * object to wait on, given back with ObDereferenceObject. A thread still running when its driver has unloaded is a
 * bug check in Windows and a named violation here. IRQL: PASSIVE_LEVEL, ObDereferenceObject <= DISPATCH_LEVEL. */
#ifndef WFPTAP_NT_PS_H
#define WFPTAP_NT_PS_H

#include "nt/io.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DELETE 0x00010000u
#define SYNCHRONIZE 0x00100000u
#define STANDARD_RIGHTS_REQUIRED 0x000f0000u
#define THREAD_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0xffffu)
#define GENERIC_READ 0x80000000u
#define LOW_REALTIME_PRIORITY 16

typedef VOID KSTART_ROUTINE(_In_ PVOID StartContext);
typedef KSTART_ROUTINE* PKSTART_ROUTINE;
typedef struct _CLIENT_ID {
  HANDLE UniqueProcess;
  HANDLE UniqueThread;
} CLIENT_ID, *PCLIENT_ID;
typedef struct _OBJECT_TYPE* POBJECT_TYPE;
typedef struct _KPROCESS* PEPROCESS;
typedef PVOID POBJECT_HANDLE_INFORMATION;
extern POBJECT_TYPE* PsThreadType;

NTSTATUS NTAPI PsCreateSystemThread(_Out_ PHANDLE ThreadHandle, _In_ ULONG DesiredAccess,
                                    _In_opt_ POBJECT_ATTRIBUTES ObjectAttributes, _In_opt_ HANDLE ProcessHandle,
                                    _Out_opt_ PCLIENT_ID ClientId, _In_ PKSTART_ROUTINE StartRoutine,
                                    _In_opt_ PVOID StartContext);
NTSTATUS NTAPI PsTerminateSystemThread(_In_ NTSTATUS ExitStatus); /* does not return */
HANDLE NTAPI PsGetCurrentThreadId(VOID);
HANDLE NTAPI PsGetCurrentProcessId(VOID);
#define PsGetCurrentThread() ((PETHREAD)KeGetCurrentThread())
NTSTATUS NTAPI ObReferenceObjectByHandle(_In_ HANDLE Handle, _In_ ACCESS_MASK DesiredAccess,
                                         _In_opt_ POBJECT_TYPE ObjectType, _In_ KPROCESSOR_MODE AccessMode,
                                         _Out_ PVOID* Object, _Out_opt_ POBJECT_HANDLE_INFORMATION HandleInformation);
LONG_PTR NTAPI ObfReferenceObject(_In_ PVOID Object);
LONG_PTR NTAPI ObfDereferenceObject(_In_ PVOID Object);
#define ObReferenceObject(Object) ObfReferenceObject(Object)
#define ObDereferenceObject(Object) ObfDereferenceObject(Object)
NTSTATUS NTAPI ZwClose(_In_ HANDLE Handle);

#ifdef __cplusplus
}
#endif

#endif
