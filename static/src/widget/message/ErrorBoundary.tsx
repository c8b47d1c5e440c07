import { Component, type ComponentChildren } from "preact";

interface ErrorBoundaryProps {
  /** What stands in for what could not be drawn. */
  instead: ComponentChildren;
  /** With another one what failed is tried again. */
  of: unknown;
  children: ComponentChildren;
}

/** Keeps a mistake where it has happened: what is around goes on. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { failed?: unknown }> {
  override componentDidCatch(error: unknown): void {
    reportError(error);
    this.setState({ failed: this.props.of });
  }

  override render({ instead, of, children }: ErrorBoundaryProps): ComponentChildren {
    return this.state.failed !== undefined && this.state.failed === of ? instead : children;
  }
}
