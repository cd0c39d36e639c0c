package pod

import "strings"

// expand replaces $(NAME) by the variable's value. $$ stands for a dollar sign; what is not defined stays as written
// (core/v1 EnvVar.value).
func expand(text string, values map[string]string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		taken, replacement := dollar(rest, values)
		out.WriteString(replacement)
		text = rest[taken:]
	}
}

// dollar reads what follows a dollar sign: how many bytes belong to it and what stands for them.
func dollar(rest string, values map[string]string) (taken int, replacement string) {
	if strings.HasPrefix(rest, "$") {
		return 1, "$"
	}
	if !strings.HasPrefix(rest, "(") {
		return 0, "$"
	}
	end := strings.IndexByte(rest, ')')
	if end < 0 {
		return 0, "$"
	}
	if value, ok := values[rest[1:end]]; ok {
		return end + 1, value
	}
	return end + 1, "$" + rest[:end+1]
}

func expandAll(list []string, values map[string]string) []string {
	var all []string
	for _, text := range list {
		all = append(all, expand(text, values))
	}
	return all
}
