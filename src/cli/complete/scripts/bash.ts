/** Completion in bash 3.2 and newer, without the bash-completion package. */

/** The script. */
export const BASH = `# Completion of datumctl for bash.

_datumctl() {
  COMPREPLY=()
  local answer first word modern='' at=0
  # The macOS bash, 3.2, has no compopt.
  [ "$(type -t compopt)" = builtin ] && modern=yes
  answer=$(printf %s "\${COMP_LINE:0:$COMP_POINT}" |
    command datumctl __complete bash "$COMP_WORDBREAKS" 2>/dev/null)
  answer=$answer$'\\n'
  first=\${answer%%$'\\n'*}
  answer=\${answer#*$'\\n'}
  case $first in
    words | open | '')
      while [ -n "$answer" ]; do
        word=\${answer%%$'\\n'*}
        answer=\${answer#*$'\\n'}
        [ -z "$word" ] || COMPREPLY[\${#COMPREPLY[@]}]=$word
      done
      [ -z "$modern" ] || compopt +o default
      [ "$first" != open ] || [ -z "$modern" ] || compopt -o nospace
      ;;
    folder*)
      [ -z "$modern" ] || compopt -o dirnames +o default
      ;;
    program*)
      IFS=$'\\n' read -r -d '' -a COMPREPLY < <(compgen -c -- "\${2-}")
      ;;
    line)
      while [ "$at" -lt "$COMP_CWORD" ] && [ "\${COMP_WORDS[$at]}" != -- ]; do at=$((at + 1)); done
      at=$((at + 1))
      if [ "$at" -ge "$COMP_CWORD" ]; then
        IFS=$'\\n' read -r -d '' -a COMPREPLY < <(compgen -c -- "\${2-}")
      elif declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$at"
      elif declare -F _command_offset >/dev/null; then
        _command_offset "$at"
      fi
      ;;
  esac
  # Files are what bash completes by itself where there is nothing here.
  return 0
}

complete -o default -F _datumctl datumctl datumctl.exe
`;
