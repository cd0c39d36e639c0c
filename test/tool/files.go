package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// cat prints files, a line each where they hold one.
func cat(paths []string) error {
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Println(strings.TrimSuffix(string(content), "\n"))
	}
	return nil
}

// stat prints the mode, owner and group of files.
func stat(paths []string) error {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t)
		fmt.Printf("%04o %d %d\n", info.Mode().Perm(), owner.Uid, owner.Gid)
	}
	return nil
}

// link prints where symbolic links lead.
func link(paths []string) error {
	for _, path := range paths {
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		fmt.Println(target)
	}
	return nil
}

// tmpfs is the magic number of a file system in memory (statfs(2)).
const tmpfs = 0x01021994

// filesystem says of paths whether they are in memory or on disk.
func filesystem(paths []string) error {
	for _, path := range paths {
		var s syscall.Statfs_t
		if err := syscall.Statfs(path, &s); err != nil {
			return err
		}
		if s.Type == tmpfs {
			fmt.Println("memory", s.Blocks*uint64(s.Bsize))
		} else {
			fmt.Println("disk")
		}
	}
	return nil
}

// write appends a line to a file.
func write(args []string) error {
	file, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintln(file, strings.Join(args[1:], " "))
	return err
}

func remove(paths []string) error {
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
