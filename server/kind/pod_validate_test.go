package kind

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func basePod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: "web", Image: "web:1",
				Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 80}},
				Env:            []corev1.EnvVar{{Name: "A", Value: "1"}},
				VolumeMounts:   []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("http")}}},
				LivenessProbe:  &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}},
				Resources: corev1.ResourceRequirements{
					Limits: corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("64Mi")},
				},
			}},
			InitContainers: []corev1.Container{{Name: "prepare", Image: "web:1"}},
			Volumes:        []corev1.Volume{{Name: "data"}},
		},
	}
}

const container = "spec.containers[0]"

// first applies a change to the pod's only container.
func first(f func(*corev1.Container)) func(*corev1.Pod) {
	return func(p *corev1.Pod) { f(&p.Spec.Containers[0]) }
}

func spec(f func(*corev1.PodSpec)) func(*corev1.Pod) { return func(p *corev1.Pod) { f(&p.Spec) } }

// source replaces the source of the pod's volume.
func source(v corev1.VolumeSource) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Volumes[0].VolumeSource = v }
}

// valueFrom replaces the pod's environment by one variable.
func valueFrom(v corev1.EnvVarSource) func(*corev1.Pod) {
	return first(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "A", ValueFrom: &v}} })
}

func TestValidateContainers(t *testing.T) {
	checkChanges(t, Pod, basePod, []change[*corev1.Pod]{
		{"no containers", spec(func(s *corev1.PodSpec) { s.Containers = nil }), []string{"spec.containers" + isRequired}},
		{"no name", first(func(c *corev1.Container) { c.Name = "" }), []string{container + ".name" + isRequired}},
		{"capital name", first(func(c *corev1.Container) { c.Name = "Web" }), []string{container + ".name" + isInvalid}},
		{"name of an init container", first(func(c *corev1.Container) { c.Name = "prepare" }), []string{"spec.initContainers[0].name" + isDuplicate}},
		{"no image", first(func(c *corev1.Container) { c.Image = "" }), []string{container + ".image" + isRequired}},
		{"padded image", first(func(c *corev1.Container) { c.Image = " web" }), []string{container + ".image" + isInvalid}},
		{"pull policy", first(func(c *corev1.Container) { c.ImagePullPolicy = "Sometimes" }), []string{container + ".imagePullPolicy" + isNotSupported}},
		{"message policy", first(func(c *corev1.Container) { c.TerminationMessagePolicy = "None" }), []string{container + ".terminationMessagePolicy" + isNotSupported}},
		{"init container with a probe", spec(func(s *corev1.PodSpec) { s.InitContainers[0].LivenessProbe = s.Containers[0].LivenessProbe }), []string{"spec.initContainers[0].livenessProbe" + isForbidden}},
		{"sidecar with a probe", spec(func(s *corev1.PodSpec) {
			s.InitContainers[0].LivenessProbe = s.Containers[0].LivenessProbe
			s.InitContainers[0].RestartPolicy = pointsTo(corev1.ContainerRestartPolicyAlways)
		}), nil},
		{"no port number", first(func(c *corev1.Container) { c.Ports[0].ContainerPort = 0 }), []string{container + ".ports[0].containerPort" + isRequired}},
		{"large port", first(func(c *corev1.Container) { c.Ports[0].ContainerPort = 70000 }), []string{container + ".ports[0].containerPort" + isInvalid}},
		{"protocol", first(func(c *corev1.Container) { c.Ports[0].Protocol = "ICMP" }), []string{container + ".ports[0].protocol" + isNotSupported}},
		{"port name twice", first(func(c *corev1.Container) { c.Ports = append(c.Ports, c.Ports[0]) }), []string{container + ".ports[1].name" + isDuplicate}},
		{"host port twice", first(func(c *corev1.Container) {
			c.Ports[0].HostPort = 80
			c.Ports = append(c.Ports, corev1.ContainerPort{ContainerPort: 81, HostPort: 80, Protocol: "TCP"})
		}), []string{container + ".ports[1].hostPort" + isDuplicate}},
		{"host network port", spec(func(s *corev1.PodSpec) { s.HostNetwork = true; s.Containers[0].Ports[0].HostPort = 81 }), []string{container + ".ports[0].containerPort" + isInvalid}},
		{"request above limit", first(func(c *corev1.Container) { c.Resources.Requests["cpu"] = resource.MustParse("2") }), []string{container + ".resources.requests" + isInvalid}},
		{"negative limit", first(func(c *corev1.Container) { c.Resources = limit("cpu", "-1") }), []string{container + ".resources.limits[cpu]" + isInvalid}},
		{"unknown resource", first(func(c *corev1.Container) { c.Resources = limit("gpu", "1") }), []string{container + ".resources.limits[gpu]" + isInvalid, container + ".resources.limits[gpu]" + isInvalid}},
		{"half a device", first(func(c *corev1.Container) { c.Resources = limit("example.com/gpu", "500m") }), []string{container + ".resources.limits[example.com/gpu]" + isInvalid}},
		{"device without limit", first(func(c *corev1.Container) {
			c.Resources.Requests["example.com/gpu"] = resource.MustParse("1")
		}), []string{container + ".resources.limits" + isRequired}},
		{"rules for no restarts", first(func(c *corev1.Container) {
			c.RestartPolicyRules = []corev1.ContainerRestartRule{{Action: corev1.ContainerRestartRuleActionRestart}}
		}), []string{container + ".restartPolicy" + isRequired, container + ".restartPolicyRules[0].exitCodes" + isRequired}},
		{"privileged without escalation", first(func(c *corev1.Container) {
			c.SecurityContext = &corev1.SecurityContext{Privileged: pointsTo(true), AllowPrivilegeEscalation: pointsTo(false)}
		}), []string{container + ".securityContext" + isInvalid}},
		{"negative user", first(func(c *corev1.Container) { c.SecurityContext = &corev1.SecurityContext{RunAsUser: pointsTo(int64(-1))} }), []string{container + ".securityContext.runAsUser" + isInvalid}},
	})
}

func limit(name corev1.ResourceName, quantity string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Limits: corev1.ResourceList{name: resource.MustParse(quantity)}}
}

func TestValidateEnv(t *testing.T) {
	env, from := container+".env[0]", container+".env[0].valueFrom"
	checkChanges(t, Pod, basePod, []change[*corev1.Pod]{
		{"no name", first(func(c *corev1.Container) { c.Env[0].Name = "" }), []string{env + ".name" + isRequired}},
		{"name with =", first(func(c *corev1.Container) { c.Env[0].Name = "a=b" }), []string{env + ".name" + isInvalid}},
		{"no source", valueFrom(corev1.EnvVarSource{}), []string{from + isInvalid}},
		{"two sources", valueFrom(corev1.EnvVarSource{
			SecretKeyRef:    &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k"},
			ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k"},
		}), []string{from + isInvalid}},
		{"no key", valueFrom(corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}), []string{from + ".secretKeyRef.key" + isRequired}},
		{"pod IP", valueFrom(fieldRef("status.podIP")), nil},
		{"a label", valueFrom(fieldRef("metadata.labels['app.kubernetes.io/name']")), nil},
		{"all labels", valueFrom(fieldRef("metadata.labels")), []string{from + ".fieldRef.fieldPath" + isNotSupported}},
		{"no such field", valueFrom(fieldRef("spec.x")), []string{from + ".fieldRef.fieldPath" + isInvalid}},
		{"part of a name", valueFrom(fieldRef("metadata.name['x']")), []string{from + ".fieldRef.fieldPath" + isInvalid}},
		{"memory limit", valueFrom(resourceRef("limits.memory", "1Mi")), nil},
		{"a file", valueFrom(corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{VolumeName: "none", Path: "../x"}}),
			[]string{from + ".fileKeyRef.key" + isRequired, from + ".fileKeyRef.path" + isInvalid, from + ".fileKeyRef.volumeName" + isNotFound}},
		{"no such resource", valueFrom(resourceRef("limits.disk", "1")), []string{from + ".resourceFieldRef.resource" + isNotSupported}},
		{"cpu in millions", valueFrom(resourceRef("limits.cpu", "1M")), []string{from + ".resourceFieldRef.divisor" + isInvalid}},
		{"nothing to take all from", first(func(c *corev1.Container) { c.EnvFrom = []corev1.EnvFromSource{{}} }), []string{container + ".envFrom[0]" + isInvalid}},
	})
}

func fieldRef(path string) corev1.EnvVarSource {
	return corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}
}

func resourceRef(name, divisor string) corev1.EnvVarSource {
	return corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: name, Divisor: resource.MustParse(divisor)}}
}

func TestValidateProbes(t *testing.T) {
	checkChanges(t, Pod, basePod, []change[*corev1.Pod]{
		{"no handler", first(func(c *corev1.Container) { c.ReadinessProbe.HTTPGet = nil }), []string{container + ".readinessProbe" + isRequired}},
		{"two handlers", first(func(c *corev1.Container) { c.ReadinessProbe.TCPSocket = c.LivenessProbe.TCPSocket }), []string{container + ".readinessProbe.tcpSocket" + isForbidden}},
		{"no command", first(func(c *corev1.Container) {
			c.ReadinessProbe.ProbeHandler = corev1.ProbeHandler{Exec: &corev1.ExecAction{}}
		}), []string{container + ".readinessProbe.exec.command" + isRequired}},
		{"port 0", first(func(c *corev1.Container) { c.LivenessProbe.TCPSocket.Port = intstr.FromInt32(0) }), []string{container + ".livenessProbe.tcpSocket.port" + isInvalid}},
		{"scheme", first(func(c *corev1.Container) { c.ReadinessProbe.HTTPGet.Scheme = "FTP" }), []string{container + ".readinessProbe.httpGet.scheme" + isNotSupported}},
		{"negative period", first(func(c *corev1.Container) { c.LivenessProbe.PeriodSeconds = -1 }), []string{container + ".livenessProbe.periodSeconds" + isInvalid}},
		{"alive at the second success", first(func(c *corev1.Container) { c.LivenessProbe.SuccessThreshold = 2 }), []string{container + ".livenessProbe.successThreshold" + isInvalid}},
		{"ready at the second success", first(func(c *corev1.Container) { c.ReadinessProbe.SuccessThreshold = 2 }), nil},
		{"HTTP/2 by TLS", first(func(c *corev1.Container) {
			c.ReadinessProbe.HTTPGet.Scheme, c.ReadinessProbe.HTTPGet.Protocol = corev1.URISchemeHTTPS, pointsTo(corev1.HTTPProtocolHTTP2)
		}), []string{container + ".readinessProbe.httpGet.protocol" + isInvalid}},
		{"HTTP/3", first(func(c *corev1.Container) { c.ReadinessProbe.HTTPGet.Protocol = pointsTo(corev1.HTTPProtocol("HTTP3")) }), []string{container + ".readinessProbe.httpGet.protocol" + isNotSupported}},
		{"stop signal of no OS", first(func(c *corev1.Container) { c.Lifecycle = &corev1.Lifecycle{StopSignal: pointsTo(corev1.SIGINT)} }), []string{container + ".lifecycle.stopSignal" + isForbidden}},
		{"stop signal", func(p *corev1.Pod) {
			p.Spec.OS, p.Spec.Containers[0].Lifecycle = &corev1.PodOS{Name: corev1.Linux}, &corev1.Lifecycle{StopSignal: pointsTo(corev1.SIGRTMINPLUS3)}
		}, nil},
		{"unknown stop signal", func(p *corev1.Pod) {
			p.Spec.OS, p.Spec.Containers[0].Lifecycle = &corev1.PodOS{Name: corev1.Linux}, &corev1.Lifecycle{StopSignal: pointsTo(corev1.Signal("SIGX"))}
		}, []string{container + ".lifecycle.stopSignal" + isNotSupported}},
		{"long sleep", first(func(c *corev1.Container) {
			c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 31}}}
		}), []string{container + ".lifecycle.preStop.sleep" + isInvalid}},
	})
}

func TestValidateVolumes(t *testing.T) {
	volume := "spec.volumes[0]"
	checkChanges(t, Pod, basePod, []change[*corev1.Pod]{
		{"no source", source(corev1.VolumeSource{}), []string{volume + isRequired}},
		{"two sources", source(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}, HostPath: &corev1.HostPathVolumeSource{Path: "/a"}}), []string{volume + ".emptyDir" + isForbidden}},
		{"twice", spec(func(s *corev1.PodSpec) { s.Volumes = append(s.Volumes, s.Volumes[0]) }), []string{"spec.volumes[1].name" + isDuplicate}},
		{"back on the host", source(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/a/../b"}}), []string{volume + ".hostPath.path" + isInvalid}},
		{"type on the host", source(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/a", Type: pointsTo(corev1.HostPathType("Pipe"))}}), []string{volume + ".hostPath.type" + isNotSupported}},
		{"unnamed secret", source(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{}}), []string{volume + ".secret.secretName" + isRequired}},
		{"mode", source(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s", DefaultMode: pointsTo(int32(0o1000))}}), []string{volume + ".secret.defaultMode" + isInvalid}},
		{"absolute item", source(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s", Items: []corev1.KeyToPath{{Key: "a", Path: "/a"}}}}), []string{volume + ".secret.items[0].path" + isInvalid}},
		{"unnamed config map", source(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}), []string{volume + ".configMap.name" + isRequired}},
		{"negative size", source(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: pointsTo(resource.MustParse("-1"))}}), []string{volume + ".emptyDir.sizeLimit" + isForbidden}},
		{"short token", source(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{
			ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "t", ExpirationSeconds: pointsTo(int64(60))},
		}}}}), []string{volume + ".projected.sources[0].serviceAccountToken.expirationSeconds" + isInvalid}},
		{"two sources of one file", source(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Items: []corev1.KeyToPath{{Key: "k", Path: "f"}}}},
			{ClusterTrustBundle: &corev1.ClusterTrustBundleProjection{Name: pointsTo("roots"), Path: "f"}},
		}}}), []string{volume + ".projected" + isInvalid}},
		{"unknown volume", first(func(c *corev1.Container) { c.VolumeMounts[0].Name = "x" }), []string{container + ".volumeMounts[0].name" + isNotFound}},
		{"same place", first(func(c *corev1.Container) { c.VolumeMounts = append(c.VolumeMounts, c.VolumeMounts[0]) }), []string{container + ".volumeMounts[1].mountPath" + isInvalid}},
		{"back in the volume", first(func(c *corev1.Container) { c.VolumeMounts[0].SubPath = "a/../.." }), []string{container + ".volumeMounts[0].subPath" + isInvalid}},
		{"propagation", first(func(c *corev1.Container) {
			c.VolumeMounts[0].MountPropagation = pointsTo(corev1.MountPropagationBidirectional)
		}), []string{container + ".volumeMounts[0].mountPropagation" + isForbidden}},
		{"writable all the way down", first(func(c *corev1.Container) {
			c.VolumeMounts[0].RecursiveReadOnly = pointsTo(corev1.RecursiveReadOnlyIfPossible)
		}), []string{container + ".volumeMounts[0].recursiveReadOnly" + isForbidden}},
		{"read-only and open to the host", first(func(c *corev1.Container) {
			m := &c.VolumeMounts[0]
			m.ReadOnly, m.RecursiveReadOnly, m.MountPropagation = true, pointsTo(corev1.RecursiveReadOnlyEnabled), pointsTo(corev1.MountPropagationHostToContainer)
		}), []string{container + ".volumeMounts[0].recursiveReadOnly" + isForbidden}},
	})
}

func TestValidatePodSpec(t *testing.T) {
	checkChanges(t, Pod, basePod, []change[*corev1.Pod]{
		{"restart policy", spec(func(s *corev1.PodSpec) { s.RestartPolicy = "Often" }), []string{"spec.restartPolicy" + isNotSupported}},
		{"DNS policy", spec(func(s *corev1.PodSpec) { s.DNSPolicy = "None" }), []string{"spec.dnsConfig" + isRequired}},
		{"deadline", spec(func(s *corev1.PodSpec) { s.ActiveDeadlineSeconds = pointsTo(int64(0)) }), []string{"spec.activeDeadlineSeconds" + isInvalid}},
		{"hostname", spec(func(s *corev1.PodSpec) { s.Hostname = "a.b" }), []string{"spec.hostname" + isInvalid}},
		{"hostname in place of any other", spec(func(s *corev1.PodSpec) { s.HostnameOverride = pointsTo("a.example") }), nil},
		{"two hostnames", spec(func(s *corev1.PodSpec) {
			s.HostnameOverride, s.SetHostnameAsFQDN = pointsTo("A"), pointsTo(true)
		}), []string{"spec.hostnameOverride" + isForbidden, "spec.hostnameOverride" + isInvalid}},
		{"windows on linux", spec(func(s *corev1.PodSpec) {
			s.OS, s.SecurityContext.WindowsOptions = &corev1.PodOS{Name: corev1.Linux}, &corev1.WindowsSecurityContextOptions{}
		}), []string{"spec.securityContext.windowsOptions" + isForbidden}},
		{"linux on windows", spec(func(s *corev1.PodSpec) {
			s.OS, s.HostPID, s.SecurityContext = &corev1.PodOS{Name: corev1.Windows}, true, &corev1.PodSecurityContext{FSGroup: pointsTo(int64(1))}
			s.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: pointsTo(true)}
		}), []string{"spec.hostPID" + isForbidden, "spec.securityContext.fsGroup" + isForbidden, "spec.containers[0].securityContext.privileged" + isForbidden}},
		{"all of /proc", first(func(c *corev1.Container) {
			c.SecurityContext = &corev1.SecurityContext{ProcMount: pointsTo(corev1.UnmaskedProcMount)}
		}), []string{container + ".securityContext.procMount" + isInvalid}},
		{"SELinux change policy", spec(func(s *corev1.PodSpec) {
			s.SecurityContext.SELinuxChangePolicy = pointsTo(corev1.PodSELinuxChangePolicy("Never"))
		}), []string{"spec.securityContext.seLinuxChangePolicy" + isNotSupported}},
		{"service account", spec(func(s *corev1.PodSpec) { s.ServiceAccountName = "A" }), []string{"spec.serviceAccountName" + isInvalid}},
		{"host alias", spec(func(s *corev1.PodSpec) { s.HostAliases = []corev1.HostAlias{{IP: "x", Hostnames: []string{"a"}}} }), []string{"spec.hostAliases[0].ip" + isInvalid}},
		{"sysctl", spec(func(s *corev1.PodSpec) { s.SecurityContext.Sysctls = []corev1.Sysctl{{Name: "kernel.Bad"}} }), []string{"spec.securityContext.sysctls[0].name" + isInvalid}},
		{"sysctl twice", spec(func(s *corev1.PodSpec) {
			s.SecurityContext.Sysctls = []corev1.Sysctl{{Name: "net/ipv4/tcp_syncookies"}, {Name: "net.ipv4.tcp_syncookies"}}
		}), []string{"spec.securityContext.sysctls[1].name" + isDuplicate}},
		{"node label", spec(func(s *corev1.PodSpec) { s.NodeSelector = map[string]string{"a b": "c"} }), []string{"spec.nodeSelector" + isInvalid}},
		{"toleration without key", tolerates(corev1.Toleration{Value: "a"}), []string{"spec.tolerations[0].operator" + isInvalid}},
		{"toleration of all", tolerates(corev1.Toleration{Operator: corev1.TolerationOpExists}), nil},
		{"toleration for a time", tolerates(corev1.Toleration{Key: "a", TolerationSeconds: pointsTo(int64(1))}), []string{"spec.tolerations[0].effect" + isInvalid}},
		{"toleration effect", tolerates(corev1.Toleration{Key: "a", Effect: "Never"}), []string{"spec.tolerations[0].effect" + isNotSupported}},
		{"spread", spec(func(s *corev1.PodSpec) { s.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{}} }),
			[]string{"spec.topologySpreadConstraints[0].maxSkew" + isInvalid, "spec.topologySpreadConstraints[0].topologyKey" + isRequired, "spec.topologySpreadConstraints[0].whenUnsatisfiable" + isNotSupported}},
		{"no node terms", spec(func(s *corev1.PodSpec) {
			s.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{}}}
		}), []string{"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms" + isRequired}},
		{"weight", spec(func(s *corev1.PodSpec) {
			s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{
				{Weight: 101, PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: "zone"}},
			}}}
		}), []string{"spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight" + isInvalid}},
	})
}

func tolerates(t corev1.Toleration) func(*corev1.Pod) {
	return spec(func(s *corev1.PodSpec) { s.Tolerations = []corev1.Toleration{t} })
}

func TestPodUpdate(t *testing.T) {
	gated := func() *corev1.Pod {
		p := basePod()
		p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "a"}}
		return p
	}
	checkUpdates(t, Pod, basePod, []change[*corev1.Pod]{
		{"image", first(func(c *corev1.Container) { c.Image = "web:2" }), nil},
		{"another toleration", tolerates(corev1.Toleration{Key: "a", Operator: corev1.TolerationOpExists}), nil},
		{"deadline", spec(func(s *corev1.PodSpec) { s.ActiveDeadlineSeconds = pointsTo(int64(9)) }), nil},
		{"another container", spec(func(s *corev1.PodSpec) { s.Containers = append(s.Containers, s.Containers[0]) }), []string{"spec.containers" + isForbidden}},
		{"command", first(func(c *corev1.Container) { c.Command = []string{"sh"} }), []string{"spec" + isForbidden}},
		{"node", spec(func(s *corev1.PodSpec) { s.NodeName = "n" }), []string{"spec" + isForbidden}},
		{"node selector", spec(func(s *corev1.PodSpec) { s.NodeSelector = map[string]string{"a": "b"} }), []string{"spec" + isForbidden}},
		{"a gate", spec(func(s *corev1.PodSpec) { s.SchedulingGates = []corev1.PodSchedulingGate{{Name: "a"}} }), []string{"spec.schedulingGates" + isForbidden}},
	})
	checkUpdates(t, Pod, gated, []change[*corev1.Pod]{
		{"gate lifted", spec(func(s *corev1.PodSpec) { s.SchedulingGates = nil }), nil},
		{"node affinity while gated", spec(func(s *corev1.PodSpec) { s.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}} }), nil},
		{"pod affinity while gated", spec(func(s *corev1.PodSpec) { s.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{}} }), []string{"spec" + isForbidden}},
		{"node selector while gated", spec(func(s *corev1.PodSpec) { s.NodeSelector = map[string]string{"a": "b"} }), nil},
	})
}

func TestPodUpdateSaysWhatMayChange(t *testing.T) {
	old, updated := basePod(), basePod()
	updated.Spec.NodeName = "n"
	errs := Pod.ValidateUpdate(updated, old)
	if len(errs) != 1 || !strings.Contains(errs[0].Detail, "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`") {
		t.Errorf("got %v", errs)
	}
}

func TestPodWarnings(t *testing.T) {
	p := basePod()
	p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "A", Value: "2"}, {Name: "A", Value: "$(A) 3"}}
	p.Spec.Containers[0].Ports = append(p.Spec.Containers[0].Ports, corev1.ContainerPort{ContainerPort: 80})
	p.Spec.NodeSelector = map[string]string{"beta.kubernetes.io/arch": "amd64"}
	want := []string{
		`spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use "kubernetes.io/arch" instead`,
		`spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply`,
		`spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]`,
	}
	if got := Pod.Warnings(t.Context(), p); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
}
