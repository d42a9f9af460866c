package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"btda/recorder"
)

// addCompletion adds the command that writes what shells need. Unlike that of the library alone it fails where no shell, or an
// unknown one, is named.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		panic(err)
	}
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(*cobra.Command, []string) error {
		return usageError{errors.New("want a shell: bash, fish, powershell or zsh")}
	}
}

// completeSettings lets shells complete the values of settings: by their unit.
func completeSettings(c *cobra.Command, s *recorder.Settings) {
	for _, field := range s.Fields() {
		completeFlag(c, field.Name, completionOf(field.Unit))
	}
	completeFlag(c, "config", files("yaml", "yml"))
	c.ValidArgsFunction = files("torrent")
}

// completionOf knows folders, files and words that stand for themselves; numbers nobody can complete.
func completionOf(unit string) cobra.CompletionFunc {
	switch {
	case unit == "folder":
		return folders
	case unit == "file":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	case strings.Contains(unit, "|"):
		return cobra.FixedCompletions(strings.Split(unit, "|"), cobra.ShellCompDirectiveNoFileComp)
	default:
		return cobra.NoFileCompletions
	}
}

// folders completes folders only, as logs are.
var folders = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)

// files completes files by the ends of their names.
func files(extensions ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
}

// completeFlag lets shells complete the value of a flag. It panics when there is no such flag, or when it has a completion.
func completeFlag(c *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err)
	}
}

// completeReplay lets shells complete logs and the flags of a replay.
func completeReplay(c *cobra.Command) {
	c.ValidArgsFunction = folders
	completeFlag(c, "identity", cobra.FixedCompletions(identityNames(), cobra.ShellCompDirectiveNoFileComp))
	completeFlag(c, "output", files("sqlite"))
	completeFlag(c, "source", cobra.FixedCompletions(sourceNames(), cobra.ShellCompDirectiveNoFileComp))
	for _, flag := range []string{"from", "settle", "threshold", "torrent", "until"} {
		completeFlag(c, flag, cobra.NoFileCompletions)
	}
}

// completeCommands completes the commands that have a help.
func completeCommands(c *cobra.Command, before []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	if len(before) == 0 {
		for _, command := range c.Root().Commands() {
			names = append(names, cobra.CompletionWithDesc(command.Name(), command.Short))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
