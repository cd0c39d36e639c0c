package completion_test

import (
	"slices"
	"testing"
)

func TestImages(t *testing.T) {
	for line, want := range map[string][]string{
		"image inspect ":                                   {"hello:", "team/web:"},
		"image inspect hello:":                             {"hello:1.0", "hello:1.1"},
		"image inspect registry.leme/te":                   {"registry.leme/team/web:"},
		"image inspect hello:1.0 ":                         nil,
		"image rm hello:1.0 hello:":                        {"hello:1.1"},
		"image pull registry.leme/hello:1.1":               {"registry.leme/hello:1.1"},
		"image tags t":                                     {"team/web"},
		"set image deploy/hello ":                          {"of-deploy/hello="},
		"set image deploy/hello web=":                      {"web=registry.leme/"},
		"set image deploy/hello web=reg":                   {"web=registry.leme/"},
		"set image deploy/hello web=registry.leme/h":       {"web=registry.leme/hello:"},
		"set image deploy/hello web=registry.leme/hello:1": {"web=registry.leme/hello:1.0", "web=registry.leme/hello:1.1"},
		"set image deploy/hello web=nginx":                 nil,
	} {
		if got := ask(line); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
