package scheduler

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const header = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"

func TestConfig(t *testing.T) {
	c, err := parseConfig([]byte(header + `
percentageOfNodesToScore: 30
podInitialBackoffSeconds: 2
leaderElection: {leaderElect: true}
profiles:
- schedulerName: default-scheduler
- schedulerName: packer
  percentageOfNodesToScore: 100
  plugins:
    multiPoint: {disabled: [{name: NodePorts}]}
    score:
      disabled: [{name: ImageLocality}]
      enabled: [{name: NodeResourcesFit, weight: 7}]
    postFilter: {disabled: [{name: "*"}]}
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 3}, {name: example.com/gpu}]}, ignoredResourceGroups: [other.io]}
  - name: PodTopologySpread
    args: {defaultingType: List, defaultConstraints: [{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule}]}
  - name: InterPodAffinity
    args: {hardPodAffinityWeight: 5}
`))
	if err != nil {
		t.Fatal(err)
	}
	plain, packer := c.profiles[0], c.profiles[1]
	if plain.percentage != 30 || len(plain.filters) != len(filters) || !plain.preempt || plain.fit.most {
		t.Errorf("the default one is %+v", plain)
	}
	if packer.percentage != 100 || packer.preempt || packer.hardAffinityWeight != 5 || packer.systemSpread || packer.spread[0].TopologyKey != "rack" {
		t.Errorf("the other one is %+v", packer)
	}
	if slices.ContainsFunc(packer.filters, func(f *filter) bool { return f.name == "NodePorts" }) || len(packer.filters) != len(filters)-1 {
		t.Error("NodePorts is not left out alone")
	}
	weights := map[string]int64{}
	for _, s := range packer.scores {
		weights[s.name] = s.weight
	}
	if _, ok := weights["ImageLocality"]; ok || weights["NodeResourcesFit"] != 7 || weights["TaintToleration"] != 3 {
		t.Errorf("weights are %v", weights)
	}
	if !packer.fit.most || !slices.Equal(packer.fit.resources, []weighed{{corev1.ResourceCPU, 3}, {"example.com/gpu", 1}}) {
		t.Errorf("strategy is %+v", packer.fit)
	}
	if !packer.ignored("other.io/thing") || packer.ignored("example.com/gpu") {
		t.Error("ignores what it should not, or does not what it should")
	}
	if c.firstBackoff.Seconds() != 2 || c.lastBackoff.Seconds() != 10 {
		t.Errorf("backs off from %s to %s", c.firstBackoff, c.lastBackoff)
	}
}

func TestConfigRefused(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: v1\nkind: Pod\n":                                                                                                              "unknown field|must be a KubeSchedulerConfiguration",
		header + "profile: []\n":                                                                                                                   "unknown field",
		header + "extenders: [{urlPrefix: http://x}]\n":                                                                                            "extenders: Forbidden",
		header + "percentageOfNodesToScore: 101\n":                                                                                                 "not in valid range [0-100]",
		header + "podInitialBackoffSeconds: 20\n":                                                                                                  "podMaxBackoffSeconds",
		header + "profiles: [{}, {schedulerName: a}]\n":                                                                                            "profiles[0].schedulerName: Required value",
		header + "profiles: [{schedulerName: a}, {schedulerName: a}]\n":                                                                            `profiles[1].schedulerName: Duplicate value: "a"`,
		header + "profiles: [{plugins: {score: {enabled: [{name: Mine}]}}}]\n":                                                                     "profiles[0].plugins.score.enabled[0].name: Unsupported value",
		header + "profiles: [{plugins: {reserve: {disabled: [{name: VolumeBinding}]}}}]\n":                                                         "profiles[0].plugins.reserve: Forbidden",
		header + "profiles: [{plugins: {multiPoint: {disabled: [{name: DefaultBinder}]}}}]\n":                                                      "pods are not scheduled without it",
		header + "profiles: [{pluginConfig: [{name: NodeName, args: {}}]}]\n":                                                                      "takes no arguments",
		header + "profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {scoring: 1}}]}]\n":                                                    "unknown field",
		header + "profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: X}}}]}]\n":                                    `scoringStrategy.type: Unsupported value: "X"`,
		header + "profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]\n":                                    "not in valid range [0-100]",
		header + "profiles: [{pluginConfig: [{name: DefaultPreemption, args: {minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0}}]}]\n": "cannot be zero at the same time",
		header + "profiles: [{pluginConfig: [{name: PodTopologySpread, args: {defaultConstraints: [{maxSkew: 1}]}}]}]\n":                           "when .defaultConstraints are not empty",
	} {
		_, err := parseConfig([]byte(text))
		if err == nil || !slices.ContainsFunc(strings.Split(want, "|"), func(w string) bool { return strings.Contains(err.Error(), w) }) {
			t.Errorf("%s\ngave %v, want %s", text, err, want)
		}
	}
}

func TestLoadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scheduler.yaml")
	if _, err := LoadConfig(path); err == nil {
		t.Error("read a file that is not there")
	}
	if err := os.WriteFile(path, []byte(header), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(path)
	if err != nil || len(c.profiles) != 1 || c.profiles[0].name != corev1.DefaultSchedulerName {
		t.Errorf("got %+v, %v", c, err)
	}
}
