package footprint

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// mapping is a part of the address space, as /proc/PID/smaps shows it (proc(5)).
type mapping struct {
	start, end  uintptr
	permissions string // such as r-xp
	path        string // of the file; or "", or a name such as [heap]

	resident  uint64 // kB
	anonymous uint64 // kB that are no longer the file's: written to before, or by a debugger
	locked    uint64 // kB that are to stay
}

// clean tells whether all there is of the mapping is in its file, so that it can be read again from there.
func (m mapping) clean() bool {
	return strings.HasPrefix(m.path, "/") && !strings.Contains(m.permissions, "w") &&
		m.resident > 0 && m.anonymous == 0 && m.locked == 0
}

// parseMappings reads smaps: for each mapping a line of where it is and what it is of, and lines of figures.
func parseMappings(smaps io.Reader) ([]mapping, error) {
	var all []mapping
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		figure, isFigure := strings.CutSuffix(name, ":")
		if !isFigure {
			m, err := parseMapping(name, rest)
			if err != nil {
				return nil, err
			}
			all = append(all, m)
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("figure %q of no mapping", figure)
		}
		if field := all[len(all)-1].figure(figure); field != nil {
			n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("figure %q of a mapping: %w", figure, err)
			}
			*field = n
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

// parseMapping reads the first line of a mapping, after its addresses: permissions, offset, device, inode, path.
func parseMapping(addresses, rest string) (mapping, error) {
	const columns = 5
	fields := strings.SplitN(rest, " ", columns)
	from, to, ok := strings.Cut(addresses, "-")
	if !ok || len(fields) < columns-1 {
		return mapping{}, fmt.Errorf("mapping %q %q is none", addresses, rest)
	}
	start, err := strconv.ParseUint(from, 16, strconv.IntSize)
	if err != nil {
		return mapping{}, fmt.Errorf("where a mapping begins: %w", err)
	}
	end, err := strconv.ParseUint(to, 16, strconv.IntSize)
	if err != nil {
		return mapping{}, fmt.Errorf("where a mapping ends: %w", err)
	}
	m := mapping{start: uintptr(start), end: uintptr(end), permissions: fields[0]}
	if len(fields) == columns {
		m.path = strings.TrimSpace(fields[columns-1])
	}
	return m, nil
}

// figure is the field of a figure, or nil where it does not matter here.
func (m *mapping) figure(name string) *uint64 {
	switch name {
	case "Rss":
		return &m.resident
	case "Anonymous":
		return &m.anonymous
	case "Locked":
		return &m.locked
	}
	return nil
}
