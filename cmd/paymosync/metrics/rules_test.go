package metrics

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"

	"github.com/paymosync/paymosync/jobs"
)

const rulesFile = "../../../prometheus-rules.yml"

// rule is an alert of the rules file.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// readYAML reads a file into a value.
func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// rules are the alerts, by name.
func rules(t *testing.T) map[string]rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	readYAML(t, rulesFile, &file)
	all := map[string]rule{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			all[rule.Alert] = rule
		}
	}
	if len(all) < 15 {
		t.Fatalf("found only %d alerts", len(all))
	}
	return all
}

// promtool runs Prometheus's own tool.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is missing, it is in Debian's package prometheus: ", err)
		}
		t.Skip("the rules are not tested without promtool, which is in Debian's package prometheus: ", err)
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Prometheus reads the rules.
func TestRulesParse(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", rulesFile)
}

// Each alert fires when it should and ends when it should, by Prometheus's own rules.
func TestRulesFireAndRecover(t *testing.T) {
	t.Parallel()
	promtool(t, "test", "rules", "testdata/rules_test.yml", "testdata/rules_slow_test.yml")
}

// The tests of the rules provoke every alert, and end it: in each there is a time at
// which it fires, and a later one at which nothing does.
func TestRulesAreAllProvoked(t *testing.T) {
	t.Parallel()
	recovered := map[string]bool{}
	for _, name := range []string{"testdata/rules_test.yml", "testdata/rules_slow_test.yml"} {
		var file struct {
			Tests []struct {
				Name  string `yaml:"name"`
				Exprs []struct {
					Expr    string `yaml:"expr"`
					Samples []struct {
						Labels string `yaml:"labels"`
					} `yaml:"exp_samples"`
				} `yaml:"promql_expr_test"`
			} `yaml:"tests"`
		}
		readYAML(t, name, &file)
		for _, test := range file.Tests {
			var fired []string
			for _, at := range test.Exprs {
				if !strings.Contains(at.Expr, "ALERTS") {
					t.Errorf("%s: %s does not ask for all alerts", test.Name, at.Expr)
				}
				if len(at.Samples) == 0 {
					for _, alert := range fired {
						recovered[alert] = true
					}
					fired = nil
				}
				for _, sample := range at.Samples {
					fired = append(fired, regexp.MustCompile(`alertname="(\w+)"`).FindStringSubmatch(sample.Labels)[1])
				}
			}
			if len(fired) > 0 {
				t.Errorf("%s: %v do not end", test.Name, fired)
			}
		}
	}
	want := slices.Sorted(maps.Keys(rules(t)))
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range want {
		if !strings.Contains(string(readme), "`"+alert+"`") {
			t.Errorf("the README does not tell of %s", alert)
		}
	}
	if got := slices.Sorted(maps.Keys(recovered)); !slices.Equal(got, want) {
		t.Errorf("provoked are %v\nwant %v", got, want)
	}
}

// The rules ask for metrics, causes and states that there are.
func TestRulesAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	m := newTestMetrics(t, nil)
	now := prometheus.NewRegistry()
	now.MustRegister(snapshot{m.gauges, someOverview(), true})
	families, err := prometheus.Gatherers{m.registry, now}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"up": true}
	for _, family := range families {
		known[family.GetName()] = true
	}
	for name, rule := range rules(t) {
		asked := rule.Expr + rule.Annotations["description"]
		for _, metric := range regexp.MustCompile(`\bup\b|paymosync_\w+`).FindAllString(asked, -1) {
			if !known[metric] {
				t.Errorf("%s: there is no metric %s", name, metric)
			}
		}
		for _, match := range regexp.MustCompile(`cause=~?"([^"]*)"`).FindAllStringSubmatch(rule.Expr, -1) {
			for cause := range strings.SplitSeq(match[1], "|") {
				if !slices.Contains(jobs.Causes(), jobs.Cause(cause)) {
					t.Errorf("%s: there is no cause %s", name, cause)
				}
			}
		}
		for _, match := range regexp.MustCompile(`state="([^"]*)"`).FindAllStringSubmatch(rule.Expr, -1) {
			if !slices.Contains(append(tableStates(), "available"), match[1]) {
				t.Errorf("%s: there is no state %s", name, match[1])
			}
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, rule.Labels["severity"]) || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s lacks a severity, a summary or a description", name)
		}
	}
}

// An alert about one cause says what status says to do about it.
func TestRulesGiveTheSameAdvice(t *testing.T) {
	t.Parallel()
	all := rules(t)
	for alert, cause := range map[string]jobs.Cause{
		"PaymosyncKeyMissing":     jobs.CauseKeyMissing,
		"PaymosyncKeyRefused":     jobs.CauseKeyRefused,
		"PaymosyncOtherAccount":   jobs.CauseIdentity,
		"PaymosyncPaymoAway":      jobs.CauseUnreachable,
		"PaymosyncPaymoMoved":     jobs.CauseRedirect,
		"PaymosyncQuarantine":     jobs.CauseQuarantine,
		"PaymosyncRoleWeaker":     jobs.CauseRole,
		"PaymosyncSweepStopped":   jobs.CauseGuard,
		"PaymosyncTableNotSynced": jobs.CauseUnsynced,
		"PaymosyncVaultAway":      jobs.CauseVault,
	} {
		if advice := jobs.Advice("{{ $labels.table }}", cause); !strings.Contains(all[alert].Annotations["description"], advice) {
			t.Errorf("%s does not say %q: %s", alert, advice, all[alert].Annotations["description"])
		}
	}
	// What concerns the whole account is no alert of a table's, and has one of its own.
	var account []string
	for _, rule := range all {
		if strings.HasPrefix(rule.Expr, "count by (job)") {
			account = append(account, regexp.MustCompile(`cause="(\w+)"`).FindStringSubmatch(rule.Expr)[1])
		}
	}
	for _, cause := range account {
		for _, name := range []string{"PaymosyncTableFailing", "PaymosyncTableStale", "PaymosyncFullSyncOverdue"} {
			if !regexp.MustCompile(`[|"]` + cause + `[|"]`).MatchString(all[name].Expr) {
				t.Errorf("%s tells of %s too", name, cause)
			}
		}
	}
	if len(account) < 6 {
		t.Errorf("only %v concern the whole account", account)
	}
}
