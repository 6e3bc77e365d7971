/* Field numbers of every layer (FWPS_FIELD_*), one header per family of layers. */
#ifndef WFPTAP_FWPS_FIELDS_H
#define WFPTAP_FWPS_FIELDS_H

#include <fwps/fields_ale_auth.h>
#include <fwps/fields_ale_resource.h>
#include <fwps/fields_datagram.h>
#include <fwps/fields_icmp_error.h>
#include <fwps/fields_ip.h>
#include <fwps/fields_mac.h>
#include <fwps/fields_other.h>
#include <fwps/fields_stream.h>
#include <fwps/fields_transport.h>
#include <fwps/fields_vswitch.h>

#endif
