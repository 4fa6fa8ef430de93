import { Fragment, type ReactNode, useState } from 'react';
import type { Entity } from '../../api/types';
import { t } from '../../i18n';
import { findLinks, type Node, plainText, safeHref, tree } from './entities';
import classes from './RichText.module.css';

const FOLD_LINES = 20;
const FOLD_CHARACTERS = 1500;

/** Text of a message: marks as elements, nothing as markup, long ones folded. */
export function RichText({ text, entities }: { text: string; entities?: readonly Entity[] }) {
  const long = text.length > FOLD_CHARACTERS || text.split('\n').length > FOLD_LINES;
  const [open, setOpen] = useState(false);
  const nodes = tree(text, entities && entities.length > 0 ? entities : findLinks(text));
  return (
    <>
      <span dir="auto" className={`${classes.text} ${long && !open ? classes.folded : ''}`}>
        {draw(nodes)}
      </span>
      {long && (
        <button type="button" className={classes.fold} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t('message.fold') : t('message.unfold')}
        </button>
      )}
    </>
  );
}

// Marks have no identity of their own: their place is the key.
const draw = (nodes: Node[]): ReactNode =>
  nodes.map((node, place) => {
    const key = `${place}`;
    return node.kind === 'plain' ? (
      <Fragment key={key}>{node.text}</Fragment>
    ) : (
      <Mark key={key} entity={node.entity} node={node} />
    );
  });

function Mark({ entity, node }: { entity: Entity; node: Extract<Node, { kind: 'mark' }> }) {
  const inner = draw(node.children);
  switch (entity.kind) {
    case 'bold':
      return <b>{inner}</b>;
    case 'italic':
      // The typeface has no italic.
      return <span className={classes.italic}>{inner}</span>;
    case 'underline':
      return <u>{inner}</u>;
    case 'strikethrough':
      return <s>{inner}</s>;
    case 'code':
      return <code className={classes.code}>{inner}</code>;
    case 'pre':
      return <code className={classes.pre}>{inner}</code>;
    case 'blockquote':
    case 'expandable_blockquote':
      return <span className={classes.quote}>{inner}</span>;
    case 'spoiler':
      return <Spoiler>{inner}</Spoiler>;
    case 'url':
    case 'text_link': {
      const href = safeHref(entity.url ?? plainText(node.children));
      if (!href) return inner;
      return (
        <a
          href={href}
          target="_blank"
          rel="noopener noreferrer nofollow"
          title={entity.url ? href : undefined}
        >
          {inner}
        </a>
      );
    }
    default:
      return inner;
  }
}

function Spoiler({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState(false);
  if (open) return <span>{children}</span>;
  return (
    <button
      type="button"
      className={classes.spoiler}
      aria-label={t('message.spoiler')}
      onClick={() => setOpen(true)}
    >
      <span aria-hidden="true">{children}</span>
    </button>
  );
}
