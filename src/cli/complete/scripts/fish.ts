/** Completion in fish 3 and newer. */

/** The script. */
export const FISH = `# Completion of datumctl for fish.

# Puts what can stand at the cursor into a variable; fails where fish is to complete files.
function __datumctl_complete
    set -g __datumctl_words
    set -l token (commandline -ct)
    set -l answer (printf %s (commandline -cp | string collect) | command datumctl __complete fish 2>/dev/null)
    switch "$answer[1]"
        case 'file*'
            return 1
        case 'folder*'
            set __datumctl_words (__fish_complete_directories "$token" '')
        case 'program*'
            set -l head (string sub -l (string replace 'program ' '' -- $answer[1]) -- "$token")
            set -l rest (string sub -s (math (string length -- "$head") + 1) -- "$token")
            for word in (complete -C "$rest")
                set -a __datumctl_words "$head$word"
            end
        case line
            set __datumctl_words (complete -C "$answer[2]")
        case '*'
            set __datumctl_words $answer[2..-1]
    end
    return 0
end

complete -c datumctl -e
complete -c datumctl -k -f -n __datumctl_complete -a '$__datumctl_words'
`;
