// Command app is the program in the tests' containers: its first argument says what it does.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: app MODE [ARGUMENT…]")
	}
	mode, ok := modes[os.Args[1]]
	if !ok {
		fail("no mode " + os.Args[1])
	}
	mode(os.Args[2:])
}

var modes = map[string]func(args []string){
	"serve":  serve,
	"reply":  reply,
	"echo":   func(args []string) { fmt.Println(strings.Join(args, " ")) },
	"ask":    ask,
	"print":  printLines,
	"count":  count,
	"read":   read,
	"cat":    func([]string) { io.Copy(os.Stdout, os.Stdin) }, //nolint:errcheck // the end of the input
	"exit":   exit,
	"size":   size,
	"stay":   stay,
	"get":    get,
	"facts":  facts,
	"memory": memory,
	"lines":  longLines,
	"write":  write,
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(2)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		fail(err.Error())
	}
	return n
}

// ask says something, waits for a line and answers.
func ask(args []string) {
	fmt.Println(strings.Join(args, " "))
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err == nil {
		fmt.Println("you")
	}
}

// serve answers HTTP on an address with a greeting.
func serve(args []string) {
	err := http.ListenAndServe(args[0], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		host, _ := os.Hostname()
		fmt.Fprintln(w, "hello from", host)
	}))
	fail(err.Error())
}

// reply answers each datagram to an address with its own name.
func reply(args []string) {
	conn, err := net.ListenPacket("udp4", args[0])
	if err != nil {
		fail(err.Error())
	}
	host, _ := os.Hostname()
	buffer := make([]byte, 64)
	for {
		_, from, err := conn.ReadFrom(buffer)
		if err == nil {
			_, err = conn.WriteTo([]byte(host), from)
		}
		if err != nil {
			fail(err.Error())
		}
	}
}

// printLines writes lines to standard output and error in turn, and then stays or, with "end", ends.
func printLines(args []string) {
	for i := range number(args[0]) {
		to := os.Stdout
		if i%2 == 1 {
			to = os.Stderr
		}
		fmt.Fprintln(to, "line", i)
	}
	if len(args) < 2 {
		stay(nil)
	}
}

// count writes a number of lines, a few hundred a second.
func count(args []string) {
	tick := time.NewTicker(4 * time.Millisecond)
	for i := range number(args[0]) {
		fmt.Println("line", i)
		<-tick.C
	}
}

// read prints a file, and says whether it can be written.
func read(args []string) {
	content, err := os.ReadFile(args[0])
	if err != nil {
		fail(err.Error())
	}
	fmt.Printf("%s, %v\n", content, os.WriteFile(args[0], content, 0o600))
}

// longLines writes lines of the given lengths.
func longLines(args []string) {
	for _, length := range args {
		fmt.Println(strings.Repeat("x", number(length)))
	}
}

func exit(args []string) {
	fmt.Fprintln(os.Stderr, "exiting with", args[0])
	os.Exit(number(args[0]))
}

// size prints the terminal's size, again each time a line comes in.
func size([]string) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		width, height, err := term.GetSize(int(os.Stdout.Fd()))
		fmt.Println("size", width, height, err)
	}
}

// stay runs until TERM; with "deaf" it ignores that.
func stay(args []string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	if len(args) > 0 {
		fmt.Println("deaf")
	}
	for range signals {
		if len(args) == 0 {
			fmt.Println("terminated")
			os.Exit(0)
		}
	}
}

// get fetches a URL.
func get(args []string) {
	response, err := (&http.Client{Timeout: 5 * time.Second}).Get(args[0])
	if err != nil {
		fail(err.Error())
	}
	defer response.Body.Close()
	io.Copy(os.Stdout, response.Body) //nolint:errcheck // what there is
}

// facts prints what the process can see of its surroundings.
func facts([]string) {
	host, _ := os.Hostname()
	fmt.Println("hostname", host)
	fmt.Println("pid", os.Getpid())
	groups, _ := os.Getgroups()
	fmt.Println("uid", os.Getuid(), "gid", os.Getgid(), "groups", groups)
	fmt.Println("env", os.Getenv("GREETING"))
	addresses, _ := net.InterfaceAddrs()
	fmt.Println("addresses", addresses)
	resolv, _ := os.ReadFile("/etc/resolv.conf")
	fmt.Printf("resolv %q\n", resolv)
	fmt.Println("writable", os.WriteFile("/written", nil, 0o600))
	stay(nil)
}

// memory takes mebibytes until it has as many as asked.
func memory(args []string) {
	var kept [][]byte
	for range number(args[0]) {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = 1
		}
		kept = append(kept, block)
	}
	fmt.Println("have", len(kept))
	stay(nil)
}

// write puts so many bytes into a file, and stays.
func write(args []string) {
	if err := os.WriteFile(args[1], make([]byte, number(args[0])), 0o644); err != nil {
		fail(err.Error())
	}
	fmt.Println("written")
	stay(nil)
}
