/* SPDX-License-Identifier: MIT */
/* register_rules.c - see register_rules.h. */
#include "register_rules.h"

#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <linux/fs.h>

/* Requests that the header of this machine may not have, by their number. */
enum {
	FS_IOC_SET_ENCRYPTION_POLICY_CODE = 0x800c6613,
	FS_IOC_ENABLE_VERITY_CODE = 0x40806685,
	FAT_IOCTL_SET_ATTRIBUTES_CODE = 0x40047211,
	EXT4_IOC_SETVERSION_CODE = 0x40086604,
	BTRFS_IOC_SET_RECEIVED_SUBVOL_CODE = 0xc0c89425,
	USERFAULTFD_IOC_NEW_CODE = 0xaa00,
	BTRFS_IOC_SNAP_CREATE_CODE = 0x50009401,
	BTRFS_IOC_SUBVOL_CREATE_CODE = 0x5000940e,
	BTRFS_IOC_SNAP_DESTROY_CODE = 0x5000940f,
	BTRFS_IOC_SNAP_CREATE_V2_CODE = 0x50009417,
	BTRFS_IOC_SUBVOL_CREATE_V2_CODE = 0x50009418,
	BTRFS_IOC_SUBVOL_SETFLAGS_CODE = 0x4008941a,
	BTRFS_IOC_SNAP_DESTROY_V2_CODE = 0x5000943f,
};

const struct ioctl_rule ioctl_rules[] = {
	{ TIOCSTI, IOCTL_TYPES },
	{ TIOCLINUX, IOCTL_TYPES },
	{ FIOSETOWN, IOCTL_SIGNALS },
	{ SIOCSPGRP, IOCTL_SIGNALS },
	{ FIOASYNC, IOCTL_HEARS },
	{ FIOCLEX, IOCTL_FLAGS_DESCRIPTOR },
	/* /dev/userfaultfd: as the call of that name */
	{ USERFAULTFD_IOC_NEW_CODE, IOCTL_REACHES },
	/* a snapshot is a second name for every file of a tree */
	{ BTRFS_IOC_SNAP_CREATE_CODE, IOCTL_REACHES },
	{ BTRFS_IOC_SNAP_CREATE_V2_CODE, IOCTL_REACHES },
	{ FS_IOC_SETFLAGS, IOCTL_CHANGES },
	{ FAT_IOCTL_SET_ATTRIBUTES_CODE, IOCTL_CHANGES },
	{ EXT4_IOC_SETVERSION_CODE, IOCTL_CHANGES },
	{ BTRFS_IOC_SET_RECEIVED_SUBVOL_CODE, IOCTL_CHANGES },
	{ FS_IOC32_SETFLAGS, IOCTL_CHANGES },
	{ FS_IOC_SETVERSION, IOCTL_CHANGES },
	{ FS_IOC_FSSETXATTR, IOCTL_CHANGES },
	{ FS_IOC_SETFSLABEL, IOCTL_CHANGES },
	{ FS_IOC_SET_ENCRYPTION_POLICY_CODE, IOCTL_CHANGES },
	{ FS_IOC_ENABLE_VERITY_CODE, IOCTL_CHANGES },
	{ BTRFS_IOC_SUBVOL_CREATE_CODE, IOCTL_CHANGES },
	{ BTRFS_IOC_SNAP_DESTROY_CODE, IOCTL_CHANGES },
	{ BTRFS_IOC_SUBVOL_CREATE_V2_CODE, IOCTL_CHANGES },
	{ BTRFS_IOC_SUBVOL_SETFLAGS_CODE, IOCTL_CHANGES },
	{ BTRFS_IOC_SNAP_DESTROY_V2_CODE, IOCTL_CHANGES },
};
const size_t ioctl_rule_count = sizeof ioctl_rules / sizeof ioctl_rules[0];

bool ioctl_is_plain(uint32_t code)
{
	return code == FS_IOC_SETFLAGS || code == FS_IOC32_SETFLAGS || code == FS_IOC_SETVERSION || code == FS_IOC_FSSETXATTR ||
	       code == FS_IOC_SETFSLABEL;
}

const struct ioctl_rule *ioctl_rule(uint32_t code)
{
	for (size_t i = 0; i < ioctl_rule_count; i++)
		if (ioctl_rules[i].code == code)
			return &ioctl_rules[i];
	return NULL;
}
