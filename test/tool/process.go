package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

func echo(words []string) error {
	_, err := fmt.Println(strings.Join(words, " "))
	return err
}

// env prints variables, those that are not set too.
func env(names []string) error {
	for _, name := range names {
		value, set := os.LookupEnv(name)
		if !set {
			value = "(not set)"
		}
		fmt.Printf("%s=%s\n", name, value)
	}
	return nil
}

// id prints who the process is and what it may do.
func id([]string) error {
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	fmt.Printf("uid %d gid %d groups %v\n", os.Getuid(), os.Getgid(), groups)
	for line := range strings.Lines(string(status)) {
		if name, value, _ := strings.Cut(line, ":"); name == "CapEff" || name == "NoNewPrivs" {
			fmt.Println(name, strings.TrimSpace(value))
		}
	}
	return nil
}

func exit(args []string) error {
	code, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	os.Exit(code)
	return nil
}

// stay waits for SIGTERM, for ever once the program is deaf to it.
func stay([]string) error {
	signals := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGTERM) {
		signal.Notify(signals, syscall.SIGTERM)
	}
	<-signals
	fmt.Println("terminated")
	return nil
}

// told waits for SIGUSR1, and says when it does.
func told([]string) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	fmt.Println("waiting")
	<-signals
	return nil
}

func deaf([]string) error {
	signal.Ignore(syscall.SIGTERM)
	return nil
}

// eat takes mebibytes of memory.
func eat(args []string) error {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	var eaten [][]byte
	for range count {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = 1
		}
		eaten = append(eaten, block)
	}
	fmt.Println("ate", len(eaten))
	return nil
}
