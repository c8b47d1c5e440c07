import { AGENTS, NAMES, type Agent } from "./api";

export type Choice = Agent | "both";

interface WhoseProps {
  label: string;
  value: Choice;
  onChange: (value: Choice) => void;
}

/** A choice of agents. */
export function Whose({ label, value, onChange }: WhoseProps) {
  return (
    <fieldset class="segments">
      <legend>{label}</legend>
      {([...AGENTS, "both"] as const).map((choice) => (
        <label key={choice}>
          <input
            type="radio"
            name="whose"
            value={choice}
            checked={value === choice}
            onChange={() => onChange(choice)}
          />
          <span>{choice === "both" ? "Both" : NAMES[choice]}</span>
        </label>
      ))}
    </fieldset>
  );
}
